"""Security: how a request says who calls, as the document tells it."""

from muster.kit.endpoints.cookies import CSRF_HEADER
from muster.kit.endpoints.openapi.examples import Schema

SCHEMES: dict[str, Schema] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `accessToken` of a session, or an API key (`mk_live_...`).",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "muster_session",
        "description": "A session that was opened with `X-Session: cookie`; in production `__Host-muster_session`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "With a cookie, on what may change something: what signing in answered in this header, or `csrfToken`.",
    },
}


def ways_in(*, is_safe: bool, is_open: bool) -> list[Schema]:
    """The ways to say who calls.

    is_safe: it changes nothing, so a cookie is enough. is_open: it answers nobody too, and may show more to somebody.
    """
    cookie: Schema = {"cookie": []} if is_safe else {"cookie": [], "csrf": []}
    return [*([{}] if is_open else []), {"bearer": []}, cookie]
