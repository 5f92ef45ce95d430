"""Leaving for good, and taking along what is one's own."""
