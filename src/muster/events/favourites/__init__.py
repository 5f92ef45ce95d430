"""Events that people keep for later."""
