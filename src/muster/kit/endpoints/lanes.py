"""Lanes: the way of a request to its address by a walk over the path, past Starlette's list of patterns and its layers.

What no lane leads to, the application below answers, which knows the same routes and says 404 where there is none.
"""

from collections.abc import Iterable
from typing import Self

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class _Step:
    """Where a walk stands: the steps by the next segment, the one for any segment, and what is served here."""

    def __init__(self) -> None:
        self.named: dict[str, Self] = {}
        self.place: Self | None = None
        self.route: Route | None = None
        self.names: tuple[str, ...] = ()


class Lanes:
    """Hands requests straight to the applications of routes whose endpoint is one, and all else to `below`."""

    def __init__(self, below: ASGIApp, routes: Iterable[Route]) -> None:
        self._below = below
        self._start = _Step()
        for route in routes:
            self._lay(route)

    def _lay(self, route: Route) -> None:
        step, names = self._start, []
        for segment in route.path.split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                step.place = step = step.place or _Step()
            else:
                step = step.named.setdefault(segment, _Step())
        step.route, step.names = route, tuple(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] != "http" or (found := self._find(scope["path"])) is None:
            await self._below(scope, receive, send)
            return
        step, values = found
        if step.route is None:
            await self._below(scope, receive, send)
            return
        scope["route"] = step.route
        scope["path_params"] = dict(zip(step.names, values, strict=True))
        await step.route.app(scope, receive, send)

    def _find(self, path: str) -> tuple[_Step, list[str]] | None:
        step, values = self._start, []
        for segment in path.split("/"):
            following = step.named.get(segment)
            if following is None:
                following = step.place
                if following is None or not segment:
                    return None
                values.append(segment)
            step = following
        return step, values
