"""Service accounts: programs of a community, which do no more than their role and who made their keys, and which go with it."""

import asyncio
import json
from dataclasses import replace
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from muster.access.tests.test_keys import Made, code
from muster.kit.realtime import watch
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import Standing, give_role
from muster.testing.town import Town, event_input


async def admin_of(town: Town) -> Client:
    """Somebody who manages the keys of a community."""
    owner = town.people[Standing.OWNER]
    await give_role(town.service, owner, town.tenant_id, "admin")
    return town.client(Standing.OWNER)


async def account(client: Client, role: str = "participant") -> dict[str, str]:
    """A service account that somebody made; answers with its id and whose it is as an account."""
    made = (await client.call("createServiceAccount", input={"name": "Calendar import", "role": role})).ok()
    return {"id": made["id"], "user_id": made["user"]["id"]}


async def key_of(client: Client, account_id: str, *scopes: str) -> Made:
    """A key of a service account."""
    made = (await client.call("createServiceKey", id=account_id, input={"name": "K", "scopes": list(scopes)})).ok()
    return Made(UUID(made["apiKey"]["id"]), made["secret"], replace(client, token=made["secret"], tenant=None))


@pytest.mark.parametrize("way", Way)
async def test_a_program_acts_in_its_own_name_and_takes_no_seat(town: Town, way: Way) -> None:
    """Also where the community asks for a verified mail and a second factor, which no program has."""
    admin, urls = await admin_of(town), town.service.urls
    seats = "select count(*) from members where tenant_id = $1 and status = 'ACTIVE' and not is_service"
    taken = await value(urls, seats, town.tenant_id)
    made = await account(admin)
    key = await key_of(admin, made["id"], "event:create", "self:act")
    event = (await key.client.call("createEvent", way=way, input=event_input())).ok()
    owner = await value(urls, "select owner_id from events where id = $1", UUID(event["id"]))
    assert str(owner) == made["user_id"]
    rows = await ask(
        urls, "select actor_kind, actor_id, reason from audit_rows where object_id = $1", UUID(event["id"])
    )
    assert rows == [("key", UUID(made["user_id"]), f"API key {key.id}")]
    assert await value(urls, seats, town.tenant_id) == taken
    listed = (await admin.call("serviceAccounts")).ok()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    members = (await admin.call("tenantMembers", first=100)).ok()["items"]
    assert made["user_id"] not in [each["user"]["id"] for each in members]


async def test_nobody_gives_a_program_what_they_do_not_hold(town: Town) -> None:
    admin, urls = await admin_of(town), town.service.urls
    assert await code(town.client(Standing.MODERATOR), "createServiceAccount", input={"name": "P"}) == "FORBIDDEN"
    for role in ("owner", "staff", "no-such-role"):
        given = {"name": "P", "role": role}
        assert await code(admin, "createServiceAccount", input=given) == "VALIDATION_ERROR", role
    inspector, strong = await account(admin, "inspector"), await account(admin, "admin")
    too_much = {"name": "K", "scopes": ["event:create"]}
    assert await code(admin, "createServiceKey", id=inspector["id"], input=too_much) == "GRANTS_TOO_MUCH"
    # Who manages keys and holds little else decides nothing about a program that holds more.
    keeper = town.people[Standing.MEMBER]
    await change(
        urls,
        "insert into custom_roles (tenant_id, id, slug, name, colour, base, additions, removals, created_at, updated_at) "
        "values ($1, uuidv7(), 'keeper', 'Keeper', '#336699', 'participant', '{key:manage}', '{}', now(), now())",
        town.tenant_id,
    )
    await give_role(town.service, keeper, town.tenant_id, "keeper")
    client = town.client(Standing.MEMBER)
    assert await code(client, "createServiceAccount", input={"name": "P", "role": "admin"}) == "GRANTS_TOO_MUCH"
    for name, more in (("createServiceKey", {"input": {"name": "K"}}), ("removeServiceAccount", {})):
        assert await code(client, name, id=strong["id"], **more) == "OUTRANKS_YOU"
    assert await code(client, "renameServiceAccount", id=strong["id"], name="Mine") == "OUTRANKS_YOU"


async def test_what_its_role_loses_it_loses_at_once(town: Town) -> None:
    admin = await admin_of(town)
    made = await account(admin)
    key = await key_of(admin, made["id"], "event:create")
    assert await code(key.client, "createEvent", input=event_input()) is None
    (await admin.call("changeMemberRole", userId=made["user_id"], role="spectator")).ok()
    assert await code(key.client, "createEvent", input=event_input()) == "FORBIDDEN"
    (await admin.call("suspendMember", userId=made["user_id"])).ok()
    assert await code(key.client, "events") == "UNAUTHENTICATED"
    (await admin.call("resumeMember", userId=made["user_id"])).ok()
    assert await code(key.client, "events") is None


async def test_a_program_has_no_other_way_in(town: Town) -> None:
    admin, urls = await admin_of(town), town.service.urls
    made = await account(admin)
    email = await value(urls, "select email from users where id = $1", UUID(made["user_id"]))
    stranger = Client(town.service)
    assert (await stranger.call("login", email=email, password="a hat for a horse")).code == "WRONG_CREDENTIALS"
    for name in ("forgotPassword", "sendSignInLink", "resendVerification", "askToRestore"):
        (await stranger.call(name, email=email)).ok()
    assert await value(urls, "select count(*) from links where user_id = $1", UUID(made["user_id"])) in (0, 1)
    assert await code(admin, "removeMember", userId=made["user_id"]) == "MEMBER_NOT_FOUND"


async def test_a_program_is_in_no_team(town: Town) -> None:
    admin = await admin_of(town)
    made = await account(admin)
    key = await key_of(admin, made["id"], "self:act")
    team = (await admin.call("createTeam", input={"name": "Choir", "visibility": "PUBLIC"})).ok()
    assert (await admin.call("inviteToTeam", teamId=team["id"], userId=made["user_id"])).code == "MEMBER_NOT_FOUND"
    assert (await key.client.call("askToJoinTeam", teamId=team["id"])).code == "MEMBER_NOT_FOUND"


async def test_a_program_is_of_one_community(town: Town) -> None:
    admin = await admin_of(town)
    made = await account(admin)
    key = await key_of(admin, made["id"])
    other = town.client(Standing.OTHER_TENANT)
    assert await code(other, "serviceAccount", id=made["id"]) == "NOT_FOUND"
    for name, more in (
        ("renameServiceAccount", {"name": "Mine"}),
        ("removeServiceAccount", {}),
        ("createServiceKey", {"input": {"name": "K"}}),
    ):
        assert await code(other, name, id=made["id"], **more) == "SERVICE_ACCOUNT_NOT_FOUND"
    assert other.tenant is not None
    assert await code(key.client.in_tenant(other.tenant), "events") == "TENANT_NOT_FOUND"


async def test_a_program_and_its_keys_are_called_something_else(town: Town) -> None:
    admin = await admin_of(town)
    made = await account(admin)
    key = await key_of(admin, made["id"])
    renamed = (await admin.call("renameServiceAccount", id=made["id"], name=" Sync ")).ok()
    assert renamed["user"]["name"] == "Sync"
    assert (await admin.call("renameApiKey", id=key.id, name="Nightly")).ok()["name"] == "Nightly"


async def test_a_removed_program_is_out_with_all_it_has_open(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the notification: the slow round over everything is put off."""
    monkeypatch.setattr(watch, "_ROUND_SECONDS", 3600.0)
    admin = await admin_of(town)
    made = await account(admin)
    key = await key_of(admin, made["id"])
    address = str(town.service.http.base_url).replace("http", "ws", 1) + "/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {key.secret}"}}
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        (await admin.call("removeServiceAccount", id=made["id"])).ok()
        async with asyncio.timeout(20):
            await socket.wait_closed()
        assert socket.close_code in (4403, 4404)
    assert await code(key.client, "events") == "UNAUTHENTICATED"
    assert await code(admin, "createServiceKey", id=made["id"], input={"name": "K"}) == "SERVICE_ACCOUNT_NOT_FOUND"
    assert (await admin.call("apiKeys")).ok()["items"] == []


async def test_who_removes_a_program_and_who_gives_it_a_key_take_turns(town: Town) -> None:
    admin = await admin_of(town)
    made = await account(admin)
    answers = await asyncio.gather(
        *(admin.call("createServiceKey", id=made["id"], input={"name": f"K{at}"}) for at in range(4)),
        admin.call("removeServiceAccount", id=made["id"]),
    )
    assert {each.code for each in answers} <= {None, "SERVICE_ACCOUNT_NOT_FOUND"}
    living = "select count(*) from api_keys where user_id = $1 and revoked_at is null"
    assert await value(town.service.urls, living, UUID(made["user_id"])) == 0
