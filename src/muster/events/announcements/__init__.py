"""What organisers announce to who is in their event, wants to be, or is invited."""
