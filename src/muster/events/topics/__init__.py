"""Topics: the categories and tags by which events are found."""
