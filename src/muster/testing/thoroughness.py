"""How much is tried of what could be tried without end: random documents, random requests, random ways to die."""

import os

THOROUGH = os.environ.get("MUSTER_THOROUGH") == "on"


def as_much_as(usually: int, thoroughly: int) -> int:
    """The one number for every run, the other before a release: `MUSTER_THOROUGH=on make test`."""
    return thoroughly if THOROUGH else usually
