"""The frame around every request: its id, its armour, its log line, its count, and an answer even when everything fails."""

import time
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster.kit.endpoints.armour import DEFAULT_POLICY, POLICY, Headers
from muster.kit.endpoints.edge import ACTED_AS, request_id_from
from muster.kit.endpoints.health import HEALTH
from muster.kit.endpoints.http import problem_response
from muster.kit.endpoints.problem import HERE, as_rest_writes_it, check_head, client_error
from muster.kit.endpoints.wire import ENDLESS
from muster.kit.log import request_done
from muster.kit.metrics import OTHER, count_request
from muster.kit.tracing.switch import PARENT

_ID_HEADER = b"x-request-id"
_ACTED_AS_HEADER = b"x-impersonation"


class Frame:
    """Wraps the application, in plain ASGI since it stands around the hot lane too.

    always: headers of every answer; the policy is added to those that bring none. opened: makes of an application one
    that pages of other origins may read, which this frame's own answers need as well. logs: whether each request has a
    line.
    """

    def __init__(self, app: ASGIApp, always: Headers, opened: Callable[[ASGIApp], ASGIApp], *, logs: bool) -> None:
        self._logs = logs
        self._app = opened(app)
        self._opened = opened
        self._always = always
        self._with_policy = (*always, DEFAULT_POLICY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = request_id_from(_given_id(scope))
        scope.setdefault("state", {})["request_id"] = request_id
        HERE.set(scope)
        # The server gives every request and socket a context of its own, so there is nothing to take back.
        structlog.contextvars.bind_contextvars(request_id=request_id, **_trace(scope))
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._request(scope, receive, send, request_id)

    async def _request(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status, given = message["status"], message["headers"]
                always = self._always if POLICY in [name for name, _ in given] else self._with_policy
                message["headers"] = [*given, (_ID_HEADER, request_id.encode()), *always]
                if (acting := scope["state"].get(ACTED_AS)) is not None:
                    message["headers"].append((_ACTED_AS_HEADER, acting.encode()))
            await send(message)

        try:
            check_head(scope)
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # noqa: BLE001 - nothing below answered, so this does
            answer = problem_response(as_rest_writes_it(client_error(error)), request_id)
            if status == 0:
                await self._opened(answer)(scope, receive, send_with_id)
        # An answer without an end is measured to its beginning.
        ended, route = scope["state"].get(ENDLESS) or time.perf_counter(), scope.get("route")
        seconds = ended - began
        template = OTHER if route is None else route.path
        count_request(scope["method"], template, status, seconds)
        # Who looks every few seconds whether all is well would fill the log with it.
        if self._logs and (status != 200 or not template.startswith(HEALTH)):
            request_done(scope["method"], template, status, seconds)


def _given_id(scope: Scope) -> str | None:
    """The request id that the client gave."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == _ID_HEADER), None)


def _trace(scope: Scope) -> dict[str, str]:
    """The trace that the client's request is part of, by W3C Trace Context, for the log."""
    given = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
    found = None if given is None else PARENT.fullmatch(given.decode("latin-1"))
    return {} if found is None else {"trace_id": found["trace"]}
