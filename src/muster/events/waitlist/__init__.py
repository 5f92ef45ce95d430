"""The waitlist: parties, offers, and the one way in which freed places are given."""
