"""The pages of events: what there is, as a list and a map, and one event with a button to join it."""
