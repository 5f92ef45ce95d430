"""How people come into an event and are kept out of it: its locks, its questions, requests, bans, and what became of whom."""
