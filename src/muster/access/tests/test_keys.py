"""API keys: as much as they were made for, as long as their holder may it, in one community, and never as a session."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from muster.access.keys.rules import KeyParts, hash_of, new_secret, read_key, written_key
from muster.kit.caller import Allow
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.ids import new_id
from muster.kit.realtime import watch
from muster.kit.views.query import QUERIES, Query
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.matrix import examples
from muster.testing.people import Standing, give_role
from muster.testing.town import Town, event_input


@dataclass(frozen=True)
class Made:
    """A key that somebody made. client: calls with it."""

    id: UUID
    secret: str
    client: Client


async def make(client: Client, *scopes: str, **more: object) -> Made:
    """A key of somebody's. more: of the input."""
    made: Any = (await client.call("createApiKey", input={"name": "A program", "scopes": list(scopes), **more})).ok()
    return Made(UUID(made["apiKey"]["id"]), made["secret"], replace(client, token=made["secret"], tenant=None))


async def code(client: Client, name: str, way: Way = Way.REST, /, **arguments: Any) -> str | None:
    """Why a call was refused; None when it was not."""
    return (await client.call(name, way=way, **arguments)).code


def test_what_is_written_is_read_again_and_nothing_else() -> None:
    parts = KeyParts(new_id(), new_id(), new_secret())
    text = written_key(parts)
    assert read_key(text) == parts
    assert len(text) == 101
    for wrong in (
        text[:-1],
        text + "0",
        text[:60] + ("1" if text[60] != "1" else "2") + text[61:],
        "mk_live_",
        text.upper(),
    ):
        assert read_key(wrong) is None
    assert read_key("mk_live_" + "Z" * 43 + "_" + "é" * 49) is None


@pytest.mark.parametrize("way", Way)
async def test_a_key_does_what_it_was_made_for_and_no_more(town: Town, way: Way) -> None:
    owner = town.client(Standing.OWNER)
    await give_role(town.service, town.people[Standing.OWNER], town.tenant_id, "admin")
    reader, writer = await make(owner), await make(owner, "event:create", "self:act")
    assert await code(reader.client, "event", way, id=town.hidden_id) is None
    assert await code(reader.client, "createEvent", way, input=event_input()) == "SCOPE_MISSING"
    assert await code(reader.client, "muteEvent", way, eventId=town.event_id, muted=True) == "SCOPE_MISSING"
    assert await code(writer.client, "createEvent", way, input=event_input()) is None
    assert await code(writer.client, "muteEvent", way, eventId=town.event_id, muted=True) is None
    rows = await ask(
        town.service.urls,
        "select actor_kind, actor_id, reason from audit_rows where verb = 'muteEvent' and outcome = 'done' order by id desc limit 1",
    )
    assert rows == [("key", town.people[Standing.OWNER].user_id, f"API key {writer.id}")]


async def test_nobody_makes_a_key_for_what_they_may_not(town: Town) -> None:
    member = town.client(Standing.MEMBER)
    assert await code(member, "createApiKey", input={"name": "K", "scopes": ["audit:read"]}) == "GRANTS_TOO_MUCH"
    for never in ("key:create", "key:manage", "tenant:delete", "tenant:transfer", "user:impersonate", "no:such"):
        assert (
            await code(town.client(Standing.OWNER), "createApiKey", input={"name": "K", "scopes": [never]})
            == "VALIDATION_ERROR"
        )


async def test_a_key_is_worth_no_more_than_its_holder_by_now(town: Town) -> None:
    urls, person = town.service.urls, town.people[Standing.MEMBER]
    key = await make(person.client, "event:create")
    assert await code(key.client, "createEvent", input=event_input()) is None
    await change(urls, "update members set role = 'spectator' where user_id = $1", person.user_id)
    assert await code(key.client, "createEvent", input=event_input()) == "FORBIDDEN"
    await change(urls, "update members set status = 'SUSPENDED' where user_id = $1", person.user_id)
    assert await code(key.client, "myEvents") == "UNAUTHENTICATED"


async def test_a_key_never_passes_for_a_session(town: Town) -> None:
    """Generated from the declarations: nothing that asks for a proof, nothing of the account, no key by a key."""
    await give_role(town.service, town.people[Standing.OWNER], town.tenant_id, "admin")
    key = await make(
        town.client(Standing.OWNER), "self:act", "event:create", "audit:read", "role:assign", "tenant:update"
    )
    declared: list[Command | Query] = [*COMMANDS.values(), *QUERIES.values()]
    barred = [
        each
        for each in declared
        if each.allow in (Allow.SIGNED_IN, Allow.VERIFIED)
        # Of whoever comes nobody looks at the key.
        or (each.allow is not Allow.WHOEVER and any(getattr(each, slot, False) for slot in ("in_person", "step_up")))
    ]
    assert {"me", "changePassword", "stepUp", "createApiKey", "revokeApiKey", "createTenant"} <= {
        each.name for each in barred
    }
    for each in barred:
        given = examples(each) | {
            parameter.key: str(new_id()) for parameter in each.arguments.parameters if parameter.type is UUID
        }
        assert await code(key.client, each.name, **given) == "NOT_BY_KEY", each.name
    assert await code(key.client, "myApiKeys") == "SCOPE_MISSING"


async def test_a_key_is_bound_to_its_community(town: Town) -> None:
    founder = town.client(Standing.OTHER_TENANT)
    key = await make(founder, "self:act")
    assert (await key.client.call("currentTenant")).ok()["id"] == founder.tenant
    assert await code(key.client.in_tenant(town.tenant_id), "events") == "TENANT_NOT_FOUND"
    assert await code(key.client.in_tenant("main"), "events") == "TENANT_NOT_FOUND"
    assert await code(key.client.in_tenant("no-such-town"), "events") == "TENANT_NOT_FOUND"


async def test_a_revoked_or_expired_key_is_refused_at_once(town: Town) -> None:
    owner, urls = town.client(Standing.OWNER), town.service.urls
    revoked, expired = await make(owner), await make(owner, expiresAt=datetime.now(UTC) + timedelta(hours=1))
    assert [await code(each.client, "events") for each in (revoked, expired)] == [None, None]
    assert await code(town.client(Standing.MEMBER), "revokeApiKey", id=revoked.id) == "API_KEY_NOT_FOUND"
    (await owner.call("revokeApiKey", id=revoked.id)).ok()
    await change(urls, "update api_keys set expires_at = now() where id = $1", expired.id)
    assert [await code(each.client, "events") for each in (revoked, expired)] == ["UNAUTHENTICATED"] * 2
    listed = (await owner.call("myApiKeys")).ok()["items"]
    assert [each["id"] for each in listed] == [str(expired.id)]


async def test_a_forged_key_is_none(town: Town) -> None:
    key = await make(town.client(Standing.OWNER))
    parts = read_key(key.secret)
    assert parts is not None
    forged = [
        written_key(parts._replace(secret=new_secret())),
        written_key(parts._replace(key_id=new_id())),
        written_key(parts._replace(tenant_id=new_id())),
        key.secret[:-1],
    ]
    for each in forged:
        assert await code(replace(key.client, token=each), "events") == "UNAUTHENTICATED"
    kept = await value(town.service.urls, "select hash from api_keys where id = $1", key.id)
    assert kept == hash_of(parts.secret)
    assert parts.secret not in str(await ask(town.service.urls, "select to_jsonb(k)::text from api_keys k"))


async def test_a_key_works_from_its_networks_alone_and_says_when_it_was_used(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    here = await make(owner, networks=["127.0.0.0/8", "::1"])
    elsewhere = await make(owner, networks=["192.0.2.0/24"])
    assert await code(here.client, "events") is None
    assert await code(elsewhere.client, "events") == "KEY_NOT_FROM_HERE"
    used = {row[0]: row[1] is not None for row in await ask(town.service.urls, "select id, last_used_at from api_keys")}
    assert used == {here.id: True, elsewhere.id: False}
    assert await code(owner, "createApiKey", input={"name": "K", "networks": ["192.0.2.1/24"]}) == "VALIDATION_ERROR"


async def test_who_manages_keys_sees_and_ends_those_of_others(town: Town) -> None:
    key = await make(town.client(Standing.MEMBER))
    owner = town.client(Standing.OWNER)
    await give_role(town.service, town.people[Standing.OWNER], town.tenant_id, "admin")
    assert [each["id"] for each in (await owner.call("apiKeys")).ok()["items"]] == [str(key.id)]
    assert await code(town.client(Standing.MODERATOR), "apiKeys") == "FORBIDDEN"
    assert (await owner.call("renameApiKey", id=key.id, name="Theirs")).code == "API_KEY_NOT_FOUND"
    (await town.client(Standing.MEMBER).call("renameApiKey", id=key.id, name="Mine")).ok()
    (await owner.call("revokeApiKey", id=key.id)).ok()
    assert await code(key.client, "events") == "UNAUTHENTICATED"


async def test_the_socket_of_a_revoked_key_is_closed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the notification: the slow round over everything is put off."""
    monkeypatch.setattr(watch, "_ROUND_SECONDS", 3600.0)
    owner = town.client(Standing.OWNER)
    key = await make(owner)
    address = str(town.service.http.base_url).replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {key.secret}"}}
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        (await owner.call("revokeApiKey", id=key.id)).ok()
        async with asyncio.timeout(20):
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (
            4403,
            "This API key or its holder's membership is over.",
        )
