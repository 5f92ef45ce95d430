"""Acting as somebody: by the platform's staff alone, for an hour at most, marked, told of, and without any credential."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.identity.commands import token_keys
from muster.kit.caller import Bearer
from muster.kit.commands.command import COMMANDS
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.endpoints.tests.sites import opened
from muster.kit.realtime.tests.support import community
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client
from muster.testing.matrix import examples
from muster.testing.people import Person, found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service
from muster.testing.town import event_input
from muster.testing.work import working

HEADER = "x-impersonation"


@dataclass(frozen=True)
class Desk:
    """The platform's help desk, and a community with somebody who needs help."""

    service: Service
    tenant_id: UUID
    helper: Person
    owner: Person
    person: Person

    @property
    def staff(self) -> Client:
        """The member of the staff, in the platform's tenant."""
        return self.helper.client.in_tenant("platform")

    async def ask(self, **changes: Any) -> Answer:
        """What the member of the staff gets who wants to act as the person."""
        wanted = {
            "userId": self.person.user_id,
            "communityId": self.tenant_id,
            "why": "They cannot find their event",
            "ticket": "SUP-1042",
        }
        return await self.staff.call("impersonate", input={**wanted, **changes})

    async def begin(self, **changes: Any) -> tuple[UUID, Client]:
        """Act as the person; answers with the impersonation, and a client that acts."""
        begun = (await self.ask(**changes)).ok()
        return UUID(begun["impersonationId"]), Client(self.service, begun["accessToken"])


@pytest.fixture
async def desk(service: Service) -> Desk:
    helper, owner, person = [await sign_in(service, name) for name in ("helper", "owner", "person")]
    tenant_id = await found_tenant(owner, "hill-valley")
    await put_in_tenant(service, person, tenant_id)
    await put_in_tenant(service, helper, PLATFORM_TENANT, role="staff")
    await change(service.urls, "update sessions set proved_at = now()")
    return Desk(service, tenant_id, helper, owner, person)


async def _is_over(client: Client) -> bool:
    return (await client.call("me")).code == "UNAUTHENTICATED"


async def test_staff_acts_as_somebody_and_all_of_it_is_marked(desk: Desk) -> None:
    impersonation_id, client = await desk.begin()
    response = await desk.service.http.send(client.request("me", {}))
    assert (response.json()["id"], response.headers[HEADER]) == (str(desk.person.user_id), str(impersonation_id))
    refused = await desk.service.http.send(
        client.request("eventMember", {"eventId": desk.tenant_id, "userId": desk.tenant_id})
    )
    assert (refused.status_code, refused.headers[HEADER]) == (404, str(impersonation_id))
    graph = await desk.service.http.post("/graphql", json={"query": "{ me { id } }"}, headers=client.headers())
    assert graph.headers[HEADER] == str(impersonation_id)
    own = await desk.service.http.send(desk.person.client.request("me", {}))
    assert HEADER not in own.headers
    made = (await client.call("createEvent", input=event_input())).ok()
    assert made["owner"]["id"] == str(desk.person.user_id)
    rows = await ask(desk.service.urls, "select actor_id, acted_as, reason from audit_rows where verb = 'createEvent'")
    assert rows == [(desk.helper.user_id, desk.person.user_id, f"impersonation {impersonation_id}")]


async def test_it_ends_at_will_with_its_time_and_with_the_session_of_the_staff(desk: Desk) -> None:
    urls = desk.service.urls
    for party in (desk.staff, desk.person.client):
        impersonation_id, client = await desk.begin()
        (await client.call("me")).ok()
        (await party.call("endImpersonation", id=impersonation_id)).ok()
        assert await _is_over(client)
        assert (await party.call("endImpersonation", id=impersonation_id)).code == "IMPERSONATION_NOT_FOUND"
    impersonation_id, client = await desk.begin()
    assert (await desk.owner.client.call("endImpersonation", id=impersonation_id)).code == "IMPERSONATION_NOT_FOUND"
    await change(urls, "update impersonations set expires_at = now() where id = $1", impersonation_id)
    assert await _is_over(client)
    _, client = await desk.begin()
    await change(
        urls, "update members set status = 'SUSPENDED' where user_id = $1 and role = 'staff'", desk.helper.user_id
    )
    assert await _is_over(client)
    await change(urls, "update members set status = 'ACTIVE' where user_id = $1", desk.helper.user_id)
    _, client = await desk.begin()
    (await desk.helper.client.call("logout")).ok()
    assert await _is_over(client)


async def test_staff_is_never_acted_as(desk: Desk) -> None:
    colleague = await sign_in(desk.service, "colleague")
    await put_in_tenant(desk.service, colleague, desk.tenant_id)
    await put_in_tenant(desk.service, colleague, PLATFORM_TENANT, role="staff")
    for person in (colleague, desk.helper):
        assert (await desk.ask(userId=person.user_id)).code == "STAFF_IS_NOT_ACTED_AS"
    _, client = await desk.begin()
    await put_in_tenant(desk.service, desk.person, PLATFORM_TENANT, role="staff")
    assert await _is_over(client)


async def test_it_is_for_a_member_and_good_in_that_community_alone(desk: Desk) -> None:
    stranger = await sign_in(desk.service, "stranger")
    nobody = await desk.ask(userId=desk.tenant_id)
    assert nobody.code == "MEMBER_NOT_FOUND"
    assert await desk.ask(userId=stranger.user_id) == nobody
    assert await desk.ask(communityId=desk.person.user_id) == nobody
    _, client = await desk.begin()
    (await client.in_tenant("hill-valley").call("me")).ok()
    for elsewhere in ("main", "platform", PLATFORM_TENANT, desk.person.user_id):
        assert (await client.in_tenant(elsewhere).call("me")).code == "TENANT_NOT_FOUND"


async def test_only_staff_acts_and_only_after_a_proof(desk: Desk) -> None:
    wanted = {"userId": desk.person.user_id, "communityId": desk.tenant_id, "why": "Just curious", "ticket": "none"}
    for caller in (desk.owner.client, desk.person.client, Client(desk.service)):
        for tenant in ("hill-valley", "main"):
            refused = await caller.in_tenant(tenant).call("impersonate", input=wanted)
            assert refused.code in ("FORBIDDEN", "UNAUTHENTICATED", "TENANT_NOT_FOUND"), refused
        assert (await caller.in_tenant("platform").call("impersonate", input=wanted)).code == "TENANT_NOT_FOUND"
    assert (await desk.helper.client.call("impersonate", input=wanted)).code == "FORBIDDEN"
    await change(desk.service.urls, "update sessions set proved_at = now() - interval '11 minutes'")
    assert (await desk.ask()).code == "STEP_UP_REQUIRED"
    assert await value(desk.service.urls, "select count(*) from impersonations") == 0
    for odd in ({"minutes": 61}, {"minutes": 0}, {"why": "help"}, {"ticket": ""}):
        assert (await desk.ask(**odd)).status == 422


async def test_a_role_named_staff_is_nobodys_outside_the_platform(desk: Desk) -> None:
    with pytest.raises(Exception, match="members_staff_check"):
        await put_in_tenant(desk.service, await sign_in(desk.service, "cheat"), desk.tenant_id, role="staff")
    made = await desk.owner.client.in_tenant(desk.tenant_id).call(
        "createRole", input={"slug": "staff", "name": "Staff"}
    )
    assert made.code == "ROLE_TAKEN"


async def test_what_is_for_the_person_alone_is_refused(desk: Desk) -> None:
    """Generated: every command that its declaration keeps from who acts as somebody else."""
    _, client = await desk.begin()
    kept = [name for name, each in COMMANDS.items() if each.in_person and each.allow not in ("whoever", "anyone")]
    assert {"changePassword", "logout", "logoutEverywhere", "revokeSession", "stepUp", "impersonate"} <= set(kept)
    before = await value(desk.service.urls, "select json_agg(s order by id)::text from sessions s")
    for name in kept:
        places = {each.key: desk.tenant_id for each in COMMANDS[name].arguments.parameters if each.type is UUID}
        refused = await client.call(name, **{**places, **examples(COMMANDS[name])})
        assert (refused.status, refused.code) in {(403, "ONLY_IN_PERSON"), (422, "VALIDATION_ERROR")}, name
        assert refused.code == "ONLY_IN_PERSON" or COMMANDS[name].prepare is not None, name
    assert await value(desk.service.urls, "select json_agg(s order by id)::text from sessions s") == before


async def test_the_token_says_who_acts_and_nothing_else_can(desk: Desk) -> None:
    impersonation_id, client = await desk.begin()
    keys = token_keys(desk.service.settings.security)
    now = datetime.now(UTC)
    true = Bearer(desk.person.user_id, impersonation_id, by=desk.helper.user_id, tenant_id=desk.tenant_id)
    read = keys.read(str(client.token), now)
    assert read is not None
    assert read.bearer == true
    lies = [
        replace_by(true, None),
        replace_by(true, desk.owner.user_id),
        Bearer(desk.owner.user_id, impersonation_id, by=desk.helper.user_id, tenant_id=desk.tenant_id),
        Bearer(desk.person.user_id, desk.tenant_id, by=desk.helper.user_id, tenant_id=desk.tenant_id),
        Bearer(desk.person.user_id, impersonation_id, by=desk.helper.user_id),
    ]
    for lie in lies:
        forged = replace(client, token=keys.sign_for(lie, now=now, expires_at=now + timedelta(hours=1)))
        assert await _is_over(forged), lie


def replace_by(bearer: Bearer, by: UUID | None) -> Bearer:
    return bearer._replace(by=by)


async def test_the_person_sees_it_and_is_told_when_it_is_over(desk: Desk) -> None:
    urls = desk.service.urls
    await change(urls, "update users set verified_at = now()")
    impersonation_id, _ = await desk.begin(minutes=5)
    (seen,) = (await desk.person.client.call("myImpersonations")).ok()["items"]
    assert (seen["id"], seen["ticket"], seen["endedAt"]) == (str(impersonation_id), "SUP-1042", None)
    assert seen["staff"]["id"] == str(desk.helper.user_id)
    for other in (desk.helper, desk.owner):
        assert (await other.client.call("myImpersonations")).ok()["items"] == []
    async with working(urls) as work:
        await work.pass_to(datetime.now(UTC) + timedelta(minutes=4))
        assert await _mails(urls) == []
        await work.pass_to(datetime.now(UTC) + timedelta(minutes=6))
        await work.pass_to(datetime.now(UTC) + timedelta(minutes=8))
    assert await _mails(urls) == [desk.person.user_id]
    (seen,) = (await desk.person.client.call("myImpersonations")).ok()["items"]
    assert seen["endedAt"] == seen["expiresAt"]


async def _mails(urls: Urls) -> list[UUID]:
    return [
        UUID(int=row[0].int) for row in await ask(urls, "select user_id from mails where kind = 'access.impersonated'")
    ]


async def test_a_socket_is_marked_and_ends_with_the_session_of_the_staff(urls: Urls) -> None:
    async with community(urls) as town, opened(town) as site:
        helper, person = await town.person("Helper"), await town.person("Person")
        tenant_id = town.tenant_id
        await change(
            urls,
            "insert into members (tenant_id, id, user_id, role, status, joined_at) values ($1, uuidv7(), $2, 'staff', 'ACTIVE', now())",
            PLATFORM_TENANT,
            helper.user_id,
        )
        impersonation_id = await value(
            urls,
            "insert into impersonations (id, staff_id, user_id, community_id, session_id, why, ticket, started_at, expires_at) "
            "values (uuidv7(), $1, $2, $3, $4, 'They asked', 'S', now(), now() + interval '1 hour') returning id",
            helper.user_id,
            person.user_id,
            tenant_id,
            helper.session_id,
        )
        assert person.user_id is not None
        bearer = Bearer(person.user_id, UUID(int=impersonation_id.int), by=helper.user_id, tenant_id=tenant_id)
        now = datetime.now(UTC)
        keys = token_keys(town.services.settings.security)
        token = keys.sign_for(bearer, now=now, expires_at=now + timedelta(hours=1))
        async with site.socket() as client, site.client(person) as own:
            await client.send(type="connection_init", payload={"authorization": f"Bearer {token}"})
            greeted = {"type": "connection_ack", "payload": {"impersonation": str(impersonation_id)}}
            assert await client.receive() == greeted
            await town.run(helper, "logout")
            assert (await client.closed())[0] == 4403
            await own.send(type="ping")
            assert await own.receive() == {"type": "pong"}
