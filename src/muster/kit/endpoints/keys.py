"""Idempotency keys as clients write them: a header, or a member of `extensions`."""

import re
from typing import Any

from starlette.requests import Request

from muster.kit.errors import BadInput

HEADER = "Idempotency-Key"
"""The header that carries a key."""
SHAPE = "^[!-~]{1,255}$"
"""Visible characters of ASCII, so that a key is the same in a header and in a body."""

_fits = re.compile(SHAPE[1:-1]).fullmatch


def key_of(request: Request) -> str | None:
    """The key that the header gives. Raises BadInput for one that is no key, and for two."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1:
        raise BadInput.field(HEADER, "is given more than once")
    return checked_key(given[0], HEADER)


def checked_key(given: Any, path: str) -> str:
    """A key from a client. path: where it stands. Raises BadInput for one that is none."""
    if not isinstance(given, str) or not _fits(given):
        raise BadInput.field(path, "must be 1 to 255 visible characters of ASCII, without spaces")
    return given
