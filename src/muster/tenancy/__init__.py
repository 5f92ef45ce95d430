"""Communities and their members."""
