"""Realtime: facts become elements of streams, for whoever may see them at that moment."""
