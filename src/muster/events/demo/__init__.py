"""What the demo community meets for: gatherings of its own, and conferences of the world."""
