"""The address of streams, whose parameters are the subscriptions that slices declare."""

from typing import Any

from muster.kit.caller import EmailNotVerified, NotAMember, TenantDeleting, TenantNotFound, TenantSuspended
from muster.kit.endpoints.event_stream.rest import MOST_STREAMS, OWN, NotAnEventStream
from muster.kit.endpoints.openapi.examples import Schema
from muster.kit.endpoints.openapi.refusals import RATES, problem_responses
from muster.kit.endpoints.openapi.schemas import Schemas
from muster.kit.endpoints.openapi.security import ways_in
from muster.kit.endpoints.problem import Fault
from muster.kit.errors import BadInput, Denied, Invalid, NotFound, TooMany, Unauthenticated, Unavailable
from muster.kit.realtime.signals import shown
from muster.kit.realtime.subscription import SUBSCRIPTIONS, Subscription
from muster.kit.views.view import View

TAG = {"name": "stream", "description": "What happens, as it happens."}
"""What the document says of it as a group."""
_REFUSALS = [
    *(BadInput, Unauthenticated, Denied, EmailNotVerified, NotAMember, TenantNotFound, NotFound, NotAnEventStream),
    *(TenantSuspended, TenantDeleting, Invalid, TooMany, Fault, Unavailable),
]
_ID = "01934f6e-5a00-7c3d-9b1e-2f4a6c8d0e1f"
_TOLD = f"""\
Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), so `EventSource` of a browser is
enough. Name at least one stream and at most {MOST_STREAMS}. An event has the name of its stream; its `data` is a row as other
addresses give it:

%s

Its `id` is a place in all these streams together: who comes back with it as `Last-Event-ID`, as browsers do by
themselves, gets what came meanwhile, then what comes. An event without a name carries a place alone.

When one of the streams ends, an event `problem` says why, with its name as `stream`, and the connection closes. After
`RESYNC` with an empty `id`, read the lists again: too much has happened to tell it all."""
_EXAMPLE = 'event: notificationBadgeChanged\nid: MDEyMzQ1\ndata: {"unreadCount": 1}\n\n'
_HEADERS = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}, **RATES}


def stream_operation(schemas: Schemas, responses: dict[str, Schema]) -> Schema:
    """The entry of `GET /api/v1/stream`. responses: the components that operations share, filled on the way."""
    for each in SUBSCRIPTIONS.values():
        shows = shown(each)
        _ = schemas.view(shows) if issubclass(shows, View) else schemas.payload(shows)
    rows = "\n".join(f"- `{each.name}`: `{shown(each).type_name()}`" for each in SUBSCRIPTIONS.values())
    text = {"schema": {"type": "string"}, "example": _EXAMPLE}
    opened: Schema = {
        "description": "The streams, until the client leaves.",
        "headers": _HEADERS,
        "content": {"text/event-stream; charset=utf-8": text},
    }
    place = {"schema": {"type": "string", "examples": ["MDEyMzQ1"]}, "required": False}
    return {
        "operationId": "stream",
        "summary": "Follow what happens.",
        "description": _TOLD % rows,
        "tags": [TAG["name"]],
        "parameters": [
            *map(_parameter, SUBSCRIPTIONS.values()),
            {"name": "after", "in": "query", "description": "The `id` of the last event that was seen.", **place},
            {"name": "Last-Event-ID", "in": "header", "description": "The same, and goes before it.", **place},
            {
                "name": "tenant",
                "in": "query",
                "description": "As the header `X-Tenant`, which browsers cannot send here; goes before it.",
                "schema": {"type": "string", "examples": ["chess-club"]},
                "required": False,
            },
            {"$ref": "#/components/parameters/Tenant"},
        ],
        "responses": {"200": opened, **problem_responses(_REFUSALS, responses)},
        "security": ways_in(is_safe=True, is_open=True),
    }


def _parameter(declared: Subscription) -> Schema:
    ids: dict[str, Any] = {"type": "array", "items": {"type": "string", "format": "uuid"}, "examples": [[_ID]]}
    own: dict[str, Any] = {"type": "string", "enum": [OWN], "examples": [OWN]}
    found: Schema = {
        "name": declared.name,
        "in": "query",
        "description": declared.summary + ("" if declared.topic is None else " By the ids of what to follow."),
        "required": False,
        "schema": own if declared.topic is None else ids,
    }
    if declared.topic is not None:
        found |= {"style": "form", "explode": False}
    if declared.deprecated is not None:
        found["deprecated"] = True
    return found
