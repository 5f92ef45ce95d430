"""Who came: tickets that prove a place, what the door scans, and the list of who was there."""
