"""Who did what, as whom, and how it ended."""
