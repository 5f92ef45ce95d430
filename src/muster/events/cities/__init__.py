"""The cities of the world by name, from open data, so that a name gives a point."""
