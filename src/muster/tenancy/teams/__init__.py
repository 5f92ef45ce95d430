"""Teams: people of one community who do something together."""
