"""`PATCH` tells absent from null, over every verb that there is: what is absent stays, what is null is emptied or refused."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from muster.kit.commands.command import COMMANDS, Command
from muster.kit.endpoints.rest.location import read_back
from muster.kit.ids import new_id
from muster.testing.below import change
from muster.testing.client import Answer, Client, Way
from muster.testing.matrix import examples
from muster.testing.people import Standing, put_role
from muster.testing.town import Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERBS = [each for each in COMMANDS.values() if each.route.method == "PATCH"]
# What counts changes, when the last one was, and what only follows from other fields.
COUNTED = {"version", "updatedAt", "editedAt", "approximateLatitude", "approximateLongitude"}
# The least size of an event is never nothing: without one of its own it is that of the mode.
INSTEAD_OF_NULL = {"updateEvent.min": 1}
_PASSKEY = """
insert into passkeys (id, user_id, credential, public_key, sign_count, name, created_at)
values ($1::uuid, $2, $1::uuid::text, '', 0, 'A phone', now())
"""


def _changes(verb: Command) -> msgspec.inspect.StructType:
    """What a verb takes besides its address, by name and type."""
    inputs = [each.type for each in verb.arguments.parameters if each.name == "input"]
    known = msgspec.inspect.type_info(inputs[0] if inputs else verb.arguments.struct)
    assert isinstance(known, msgspec.inspect.StructType)
    return known


FIELDS = [
    pytest.param(verb, each, id=f"{verb.name}.{each.encode_name}")
    for verb in VERBS
    for each in _changes(verb).fields
    if each.name not in (*verb.route.places, "version")
]


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _send(client: Client, verb: Command, ids: dict[str, Any], way: Way, **changes: Any) -> Answer:
    has_input = any(each.name == "input" for each in verb.arguments.parameters)
    return await client.call(verb.name, way=way, **ids, **({"input": changes} if has_input else changes))


async def _ready(town: Town, verb: Command) -> tuple[Client, dict[str, Any], dict[str, Any]]:
    """Who may change what, and how it is now."""
    client, ids = await _subject(town, verb)
    given = examples(verb)
    now = (await _send(client, verb, ids, Way.REST, **given.get("input", given))).ok()
    return client, ids, now


async def _subject(town: Town, verb: Command) -> tuple[Client, dict[str, Any]]:
    """Who may change what: an event's owner theirs, everybody their own, and a community's owner what is the community's."""
    owner = town.people[Standing.OWNER]
    if verb.name == "renameApiKey":
        maker = town.client(Standing.OTHER_TENANT)
        await change(town.service.urls, "update sessions set proved_at = now()")
        made = (await maker.call("createApiKey", **examples(COMMANDS["createApiKey"]))).ok()
        return maker, {"id": made["apiKey"]["id"]}
    if verb.name == "renameServiceAccount":
        keeper = town.client(Standing.OTHER_TENANT)
        program = (await keeper.call("createServiceAccount", **examples(COMMANDS["createServiceAccount"]))).ok()
        return keeper, {"id": program["id"]}
    if verb.name == "updateTopic":
        namer = town.client(Standing.OTHER_TENANT)
        topic = (await namer.call("createTopic", **examples(COMMANDS["createTopic"]))).ok()
        return namer, {"id": topic["id"]}
    if verb.name == "updateTeam":
        return owner.client, {"id": town.team_id}
    if verb.documentation.slice in ("tenancy", "access"):
        founder, slug = town.client(Standing.OTHER_TENANT), f"role_{new_id().hex[-12:]}"
        await put_role(town.service, UUID(founder.tenant), slug, base="participant")
        return founder, {"slug": slug} if "slug" in verb.route.places else {}
    if verb.name == "updateEventInviteLink":
        made = (await owner.client.call("createEventInviteLink", eventId=town.event_id, input={})).ok()
        return owner.client, {"eventId": town.event_id, "id": made["id"]}
    if "event_id" in verb.route.places:
        said = (await owner.client.call("sendEventMessage", eventId=town.event_id, content="To be changed")).ok()
        return owner.client, {"eventId": town.event_id, "id": said["id"]}
    if verb.name == "renamePasskey":
        passkey_id = new_id()
        await change(town.service.urls, _PASSKEY, passkey_id, owner.user_id)
        return owner.client, {"id": passkey_id}
    return owner.client, {"id": await make_event(owner.client, publish=False)} if verb.route.places else {}


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(("verb", "field"), FIELDS)
async def test_null_empties_what_may_be_empty(verb: Command, field: Any, way: Way, town: Town) -> None:
    client, ids, before = await _ready(town, verb)
    is_optional = isinstance(field.type, msgspec.inspect.UnionType) and field.type.includes_none
    # A point is two numbers or none, and without them an event stands in its city.
    pair = {"latitude", "longitude"} & {field.encode_name}
    given = dict.fromkeys(("latitude", "longitude", "city") if pair else (field.encode_name,))
    answer = await _send(client, verb, ids, way, **given)
    if is_optional:
        empty = INSTEAD_OF_NULL.get(f"{verb.name}.{field.encode_name}")
        expected = {**before, **dict.fromkeys(given, empty)}
        found = answer.ok()
    else:
        assert answer.status in (400, 422), answer
        assert field.encode_name in str(answer.problem)
        expected = before
        found = (await client.call(_read(verb), **ids)).ok()
    assert _settled(found) == _settled(expected)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
async def test_what_is_absent_stays(verb: Command, way: Way, town: Town) -> None:
    client, ids, before = await _ready(town, verb)
    needed = {each.encode_name for each in _changes(verb).fields if each.required} - ids.keys()
    answer = await _send(client, verb, ids, way)
    if needed:
        assert answer.status in (400, 422)
        assert all(each in str(answer.problem) for each in needed)
    else:
        assert answer.ok() == before
    assert (await client.call(_read(verb), **ids)).ok() == before


def _read(verb: Command) -> str:
    query = read_back(verb)
    assert query is not None
    return query.name


def _settled(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in COUNTED}
