"""Events that come again: a rule, and the occurrences that it makes, each an event of its own."""
