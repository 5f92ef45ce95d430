"""Making events over HTTP."""

from tests.storm.client import Connection
from tests.storm.people import Person

EVENTS = "/api/v1/events"


async def create_event(connection: Connection, owner: Person, *, places: int) -> str:
    """Draft and publish an event with so many places, of which the owner has one; answers with its id."""
    draft = await connection.ask(owner.token, "POST", EVENTS, event_input(places))
    assert draft.status == 201, draft
    event_id: str = draft.body["id"]
    published = await connection.ask(owner.token, "POST", f"{EVENTS}/{event_id}/publication")
    assert published.status == 200, published
    return event_id


def event_input(places: int) -> dict[str, object]:
    """The body of a request that drafts an event."""
    return {
        "title": "A storm",
        "startsAt": "2099-05-01T18:00:00Z",
        "endsAt": "2099-05-01T20:00:00Z",
        "timezone": "Europe/Warsaw",
        "meetingKind": "ONLINE",
        "onlineUrl": "https://example.org/storm",
        "max": places,
    }
