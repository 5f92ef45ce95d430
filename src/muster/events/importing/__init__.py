"""Bringing events in from files: rows become events by the rules of every other, a second time changes nothing."""
