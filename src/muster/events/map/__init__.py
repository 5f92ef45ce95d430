"""The map: where events are, drawn together where they are many."""
