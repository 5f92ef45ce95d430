"""CORS: which pages of other origins may read our answers (https://fetch.spec.whatwg.org/#http-cors-protocol).

Starlette's middleware decides; it stands around the hot lane only where a setting lets somebody in, and only requests
of pages go through it.
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY_ORIGIN = "*"

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_TAKEN = (
    *("Authorization", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"),
    *("X-CSRF-Token", "X-Request-Id", "X-Session", "X-Tenant"),
)
_SHOWN = (
    *("ETag", "Location", "Retry-After", "Idempotency-Replayed", "X-CSRF-Token", "X-Request-Id"),
    *("RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
)
# So that no cache gives a page what was let through for none.
_VARY = (b"vary", b"Origin")
_DAY, _TEN_MINUTES = 86_400, 600


def open_to(origins: tuple[str, ...], app: ASGIApp, *, is_production: bool) -> ASGIApp:
    """The application, readable by pages of these origins; of all where one is `*`, but then without credentials."""
    if not origins:
        return app
    for_pages = CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_TAKEN,
        allow_credentials=ANY_ORIGIN not in origins,
        expose_headers=_SHOWN,
        max_age=_DAY if is_production else _TEN_MINUTES,
    )

    async def opened(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await for_pages(scope, receive, send)
            return

        async def send_varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _VARY]
            await send(message)

        await app(scope, receive, send_varied)

    return opened
