"""What somebody may do with an event now, and why not what they may not."""
