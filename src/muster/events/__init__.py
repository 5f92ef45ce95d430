"""Events: their life, their members, their waitlist."""
