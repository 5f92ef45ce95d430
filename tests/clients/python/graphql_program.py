"""A program over the client that ariadne-codegen makes of our SDL and `operations.graphql`."""

import asyncio
import json
import os

from muster_graphql import Client, CreateEventInput, EventFilter, EventStatus, MeetingKind

ADDRESS = f"{os.environ['MUSTER_ADDRESS']}/graphql"


async def main() -> None:
    """Sign in, draft an event, and list what comes."""
    async with Client(ADDRESS) as anonymous:
        session = (await anonymous.sign_in("Grete")).dev_login
    assert session is not None
    assert session.user is not None
    async with Client(ADDRESS, headers={"authorization": f"Bearer {session.access_token}"}) as client:
        drafted = await client.draft(
            CreateEventInput(
                title="Go in the library",
                starts_at="2040-06-01T18:00:00+02:00",
                ends_at="2040-06-01T21:00:00+02:00",
                timezone="Europe/Warsaw",
                meeting_kind=MeetingKind.ONLINE,
                online_url="https://meet.example/go",
            )
        )
        assert drafted.create_event is not None
        status: EventStatus = drafted.create_event.status
        coming = await client.coming(EventFilter(meeting_kind=[MeetingKind.ONLINE]))
    found: list[tuple[str, float | None, str]] = [
        (each.title, each.latitude, each.owner.name) for each in coming.events.nodes
    ]
    print(json.dumps({"name": session.user.name, "status": status, "found": found}))


async def refusals(client: Client) -> None:
    """What the type checker must refuse. Where it does not, the unused comment is itself an error."""
    await client.sign_in(1)  # type: ignore[arg-type]
    await client.coming(EventFilter(meeting_kind=["NOWHERE"]))  # type: ignore[list-item]
    print((await client.coming()).events.nodes[0].description)  # type: ignore[attr-defined]


asyncio.run(main())
