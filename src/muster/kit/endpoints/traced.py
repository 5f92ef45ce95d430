"""Traced: each request as the first step of what it sets off. It stands around the application where there are traces."""

import structlog
from opentelemetry.trace import Span, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster.kit.endpoints.health import HEALTH
from muster.kit.tracing.spans import Spans
from muster.kit.tracing.switch import trace_id


class Traced:
    """Wraps the application, within the frame. Operations on a socket are steps of their own; it lasts too long for one."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        # Who looks every few seconds whether all is well would fill the traces with it.
        if scope["type"] != "http" or scope["path"].startswith(HEALTH):
            await self._app(scope, receive, send)
            return
        status = 500

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._spans.step(scope["method"], kind="server", after=_given(scope)) as span:
            structlog.contextvars.bind_contextvars(trace_id=trace_id())
            try:
                await self._app(scope, receive, send_and_look)
            finally:
                if span.is_recording():
                    _describe(span, scope, status)


def _given(scope: Scope) -> str:
    """The `traceparent` of the request; empty for one that begins its own trace."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), "")


def _describe(span: Span, scope: Scope, status: int) -> None:
    """Say what was asked, by the template of the address, and how it ended."""
    route = scope.get("route")
    method = scope["method"]
    who = structlog.contextvars.get_contextvars()
    span.set_attributes(
        {"http.request.method": method, "http.response.status_code": status, "muster.request_id": who["request_id"]}
    )
    if route is not None:
        span.update_name(f"{method} {route.path}")
        span.set_attribute("http.route", route.path)
    if "tenant_id" in who:
        span.set_attribute("muster.tenant_id", who["tenant_id"])
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))
