"""REST addresses as declarations write them: `POST /events/{event_id}/members`."""

import re
from dataclasses import dataclass
from functools import cached_property

from muster.kit.text import camel

_SAFE = ("GET",)
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Route:
    """A method and a path below `/api/v1`; `places` are the argument names in the path."""

    method: str
    path: str
    places: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Route":
        """Read a declaration. Raises TypeError when it is not `METHOD /path`."""
        method, _, path = text.partition(" ")
        if method not in (*_SAFE, *_UNSAFE) or not path.startswith("/"):
            raise TypeError(f"{text!r} is no route; write it like 'POST /events/{{event_id}}/members'")
        return cls(method, path, tuple(_PLACE.findall(path)))

    @cached_property
    def template(self) -> str:
        """The whole path with the places as clients know them: `/api/v1/events/{eventId}/members`."""
        return "/api/v1" + _PLACE.sub(lambda match: "{" + camel(match[1]) + "}", self.path)

    @property
    def sends_body(self) -> bool:
        """Whether arguments outside the path come in a body; else they come in the query string."""
        return self.method in ("POST", "PUT", "PATCH")
