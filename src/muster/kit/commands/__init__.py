"""Commands: use cases that change state, each one function in one transaction."""

import muster.kit.commands.tables  # noqa: F401 - whoever runs commands checks their tables at start, too
