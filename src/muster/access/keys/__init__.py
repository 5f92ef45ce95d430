"""API keys: for programs, of a member, in one community."""
