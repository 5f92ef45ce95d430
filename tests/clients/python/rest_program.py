"""A program over the client that openapi-python-client makes of our OpenAPI document."""

import json
import os
from datetime import datetime
from uuid import uuid4

from muster_rest import AuthenticatedClient, Client
from muster_rest.api.events import create_event, event, events, publish_event
from muster_rest.api.tenancy import dev_login
from muster_rest.models import (
    CreateEventInput,
    DevLoginBody,
    Event,
    EventPage,
    EventStatus,
    MeetingKind,
    Problem,
    Session,
    UserBrief,
)

address = os.environ["MUSTER_ADDRESS"]

session = dev_login.sync(client=Client(address), body=DevLoginBody(name="Rosa"))
assert isinstance(session, Session)
client = AuthenticatedClient(address, session.access_token)

drafted = create_event.sync(
    client=client,
    body=CreateEventInput(
        title="Go in the library",
        starts_at=datetime.fromisoformat("2040-06-01T18:00:00+02:00"),
        ends_at=datetime.fromisoformat("2040-06-01T21:00:00+02:00"),
        timezone="Europe/Warsaw",
        meeting_kind=MeetingKind.ONSITE,
        latitude=52.2,
        longitude=21,
    ),
)
assert isinstance(drafted, Event)
status: EventStatus = drafted.status
publish_event.sync(drafted.id, client=client)

listed = events.sync(client=client, meeting_kind=[MeetingKind.ONSITE], first=5)
assert isinstance(listed, EventPage)
found: list[tuple[str, int | None, str]] = [(each.title, each.max_, each.owner.name) for each in listed.items]

refused = event.sync(uuid4(), client=client)
assert isinstance(refused, Problem)

assert isinstance(session.user, UserBrief)
print(json.dumps({"name": session.user.name, "status": status, "found": found, "code": refused.code}))


def refusals(event: Event) -> object:
    """What the type checker must refuse. Where it does not, the unused comment is itself an error."""
    wrong_name = DevLoginBody(name=1)  # type: ignore[arg-type]
    wrong_kind: MeetingKind = "NOWHERE"  # type: ignore[assignment]
    wrong_field = event.colour  # type: ignore[attr-defined]
    return wrong_name, wrong_kind, wrong_field
