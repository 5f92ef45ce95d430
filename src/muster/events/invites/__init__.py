"""Links that lead into an event, and invitations to it."""
