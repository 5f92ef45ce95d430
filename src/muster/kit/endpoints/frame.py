"""The frame around every request: its id, its log line, and an answer even when everything fails."""

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster.kit.endpoints.edge import request_id_from
from muster.kit.endpoints.http import problem_response
from muster.kit.endpoints.problem import as_rest_writes_it, client_error

log = structlog.get_logger()


class Frame:
    """Wraps the application, in plain ASGI since it stands around the hot lane too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = request_id_from(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._request(scope, receive, send, request_id)

    async def _request(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # noqa: BLE001 - nothing below answered, so this does
            answer = problem_response(as_rest_writes_it(client_error(error)), request_id)
            if status == 0:
                await answer(scope, receive, send_with_id)
        milliseconds = round((time.perf_counter() - began) * 1000, 2)
        log.debug("request.done", method=scope["method"], path=scope["path"], status=status, ms=milliseconds)
