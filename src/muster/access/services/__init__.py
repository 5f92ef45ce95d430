"""Service accounts: programs of a community, which belong to no person."""
