"""What awaits people at an event: its agenda, answers to what they ask, and where to read more."""
