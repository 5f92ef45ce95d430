"""What people tell of themselves, who they star and follow, and whom they block."""
