"""Reminders before an event, and the question afterwards how it was."""
