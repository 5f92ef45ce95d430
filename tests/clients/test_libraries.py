"""Client libraries as they come: each tells the same story against a Muster on a socket (`libraries/story.mjs`)."""

import json
from pathlib import Path
from typing import Any

import pytest

from muster.testing.people import sign_in
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import working
from tests.clients.tools import Tools

LIBRARIES = Path(__file__).parent / "libraries"


@pytest.mark.parametrize("library", ["apollo", "urql", "graphql-ws", "graphql-sse distinct", "graphql-sse single"])
async def test_a_library_does_everything_unmodified(library: str, service: Service, tools: Tools) -> None:
    program, *arguments = library.split()
    owner = await sign_in(service, "Olga")
    event_id = await make_event(owner.client, title="Chess in the park")
    async with working(service.urls):
        environ = {"MUSTER_ADDRESS": service.address, "MUSTER_EVENT": str(event_id), "MUSTER_NAME": "Nils"}
        with tools.copy(LIBRARIES) as folder:
            told: dict[str, Any] = json.loads(await tools.run(folder, "node", f"{program}.mjs", *arguments, **environ))
    assert (told["name"], told["status"]) == ("Nils", "JOINED")
    event = without_typenames(told["event"])
    assert event == {
        "title": "Chess in the park",
        "joinedCount": 2,
        "owner": {"id": str(owner.user_id), "name": "Olga"},
        "members": {
            "nodes": [{"status": "JOINED", "user": {"id": str(owner.user_id), "name": "Olga"}}],
            "pageInfo": {"hasNextPage": True},
        },
    }
    assert (told["refused"]["code"], told["refused"]["status"]) == ("EVENT_NOT_FOUND", 404)
    assert told["deaf"]["code"] == "NOT_FOUND", "a stream is refused with a code too"
    assert told["heard"] == ["one", "two"]
    assert told["resumed"] == ["one", "two", "three", "four"], "nothing lost, nothing twice"


def without_typenames(value: Any) -> Any:
    """A result without the `__typename` that caching clients ask for."""
    if isinstance(value, list):
        return [without_typenames(each) for each in value]
    if isinstance(value, dict):
        return {key: without_typenames(each) for key, each in value.items() if key != "__typename"}
    return value
