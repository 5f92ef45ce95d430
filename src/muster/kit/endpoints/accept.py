"""Content negotiation (RFC 9110, 12.5): which media type and language on offer a client likes best, and whether it takes
gzip.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True)
class _Range:
    """One media range of an `Accept` header with its weight."""

    kind: str
    subkind: str
    weight: float

    def precision(self, media_type: str) -> int:
        """How closely it names a media type: 3 by its whole name, 2 by its kind, 1 as any, 0 not at all."""
        kind, _, subkind = media_type.partition("/")
        if self.kind == "*":
            return 1
        if self.kind != kind:
            return 0
        return 2 if self.subkind == "*" else 3 * (self.subkind == subkind)


_NOTHING = _Range("", "", 0.0)


# Clients of one kind send one header, and reading it costs as much as checking a token.
@lru_cache(maxsize=200)
def preferred(accept: str | None, offered: tuple[str, ...]) -> str | None:
    """The media type to answer with; None when the client takes none of them.

    accept: the header. offered: the best first, which is chosen without a header. Of types that the client likes alike,
    one that it names itself goes before one that it takes along with others, then the order of its list decides, then
    ours.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_read(each) for each in accept.split(",") if each.strip()]
    marks = {media_type: _mark(media_type, ranges) for media_type in offered}
    best = max(offered, key=marks.__getitem__)
    return best if marks[best][0] > 0 else None


@lru_cache(maxsize=200)
def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether a client takes gzip, and likes it no less than the plain answer. accept_encoding: the header."""
    weights = {each.kind: each.weight for each in map(_read, (accept_encoding or "").split(","))}
    any_other = weights.get("*", 0.0)
    return weights.get("gzip", any_other) > 0 and weights.get("gzip", any_other) >= weights.get("identity", 0.0)


@lru_cache(maxsize=200)
def preferred_language(accept_language: str | None, offered: tuple[str, ...]) -> str:
    """The language to answer in, of those on offer; the first where the client reads none of them.

    accept_language: the header. A region makes no difference: who reads `de-AT` reads `de`. Of languages liked alike,
    the one that is named first is chosen.
    """
    ranges = [_read(each) for each in (accept_language or "").split(",") if each.strip()]
    liked = sorted((each for each in ranges if each.weight > 0), key=lambda each: -each.weight)
    named = (each.kind.split("-")[0] for each in liked)
    return next((each for each in named if each in offered), offered[0])


def _mark(media_type: str, ranges: Sequence[_Range]) -> tuple[float, int, int]:
    """How much the client likes a media type: weight, precision and place of the range that names it most closely."""
    place, best = max(enumerate(ranges), key=lambda each: each[1].precision(media_type), default=(0, _NOTHING))
    precision = best.precision(media_type)
    return (best.weight if precision else 0.0, precision, -place)


def _read(text: str) -> _Range:
    """A media range with its weight; a coding is one without its second half."""
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    kind, _, subkind = media_range.partition("/")
    weight = next((each.removeprefix("q=") for each in parameters if each.startswith("q=")), "1")
    return _Range(kind, subkind, float(weight) if _WEIGHT.fullmatch(weight) else 0.0)
