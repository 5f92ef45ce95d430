"""Who owns an event, and who may next: offered by the one and accepted by the other, or given by an admin."""
