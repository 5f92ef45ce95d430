"""What an event may have by its plan, and what its plan lets it do to be seen: boosts and local pushes."""
