"""A request whose headers are read once, since one request looks a dozen of them up."""

from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class HeaderTable(Headers):
    """Headers by name; the library's walk over all of them at each look."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        # Of a header that came twice the first counts, as the library has it.
        self._first = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(self._list)}

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._first

    def get(self, key: str, default: Any = None) -> Any:
        """The header, or what stands for it where it did not come."""
        return self._first.get(key.lower(), default)


class Asked(Request):
    """The request of one endpoint."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._table = HeaderTable(scope)

    @property
    def headers(self) -> Headers:
        """What came with it."""
        return self._table
