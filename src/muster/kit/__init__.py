"""Mechanisms every slice stands on. Not one word of a domain belongs here."""
