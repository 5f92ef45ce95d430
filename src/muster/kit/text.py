"""Text: names in the two cases we use, and what no database can store."""

import re
from ipaddress import ip_address
from uuid import UUID

from muster.kit.errors import BadInput

_ORIGIN = re.compile(r"(?P<scheme>https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>:[1-9][0-9]{0,4})?")


def camel(snake: str) -> str:
    """`starts_at` as clients write it: `startsAt`."""
    head, *tail = snake.split("_")
    return head + "".join(word.title() for word in tail)


def as_id(text: str) -> UUID | None:
    """The id that a text is, or None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def refuse_unstorable(value: object, path: str = "") -> None:
    """Refuse text that PostgreSQL or UTF-8 cannot hold, anywhere in decoded input, however deep it is.

    Raises BadInput with the path for U+0000 and for lone surrogates.
    """
    if _is_storable(value):
        return
    waiting = [(path, value)]
    while waiting:
        place, found = waiting.pop()
        if isinstance(found, str):
            _refuse_text(found, place)
        elif isinstance(found, dict):
            for key, inner in found.items():
                _refuse_text(key, place)
                waiting.append((f"{place}.{key}" if place else str(key), inner))
        elif isinstance(found, list):
            waiting += [(f"{place}[{index}]", inner) for index, inner in enumerate(found)]


def _is_storable(value: object) -> bool:
    """The answer for nearly all input, found without keeping track of places."""
    waiting = [value]
    # More is appended while this goes on.
    for found in waiting:
        if isinstance(found, str):
            if not found.isascii() or "\x00" in found:
                return False
        elif isinstance(found, dict):
            waiting += found.keys()
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
    return True


def _refuse_text(text: str, path: str) -> None:
    if "\x00" in text:
        raise BadInput.field(path, "holds the character U+0000, which cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput.field(path, "holds half a surrogate pair, which is no character") from None


def origin_of(address: str) -> str:
    """The origin of an address, as browsers write it, unless it names the usual port."""
    return "/".join(address.lower().split("/", 3)[:3])


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers write it: scheme, name in small letters, and a port that is not the usual one."""
    found = _ORIGIN.fullmatch(text)
    return found is not None and found["port"] != {"http": ":80", "https": ":443"}[found["scheme"]]


def is_address(text: str) -> bool:
    """Whether it is an address of the Internet, in numbers."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
