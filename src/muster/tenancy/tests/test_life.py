"""The life of a community: archived, suspended, deleted, restored, and gone without a trace but its audit log."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from muster.kit.caller import TenantStatus
from muster.kit.db.tables import PLATFORM_TENANT, Table
from muster.tenancy.rules import LIFE, Deed, can_restore
from muster.testing.below import ask, change, snapshot, value
from muster.testing.client import Client, Way
from muster.testing.isolation import World
from muster.testing.people import Standing, found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service
from muster.testing.town import event_input
from muster.testing.work import working

NOW = datetime(2031, 5, 1, tzinfo=UTC)
DONE = "select verb from audit_rows where tenant_id = $1 and outcome = 'done' order by id"
STAFF = "insert into members (tenant_id, id, user_id, role, status, joined_at) values ($1, uuidv7(), $2, 'staff', 'ACTIVE', now())"

# The platform mails people about their accounts, whatever becomes of a community: their own address is theirs.
MAILED = """
select (to_jsonb(m) - case when address in (select email from users) then 'address' else '' end)::text from mails m
"""


async def staff_of(service: Service) -> Client:
    """One of the platform's own people, in its tenant."""
    person = await sign_in(service, "staff")
    await change(service.urls, STAFF, PLATFORM_TENANT, person.user_id)
    return person.client.in_tenant(PLATFORM_TENANT)


def test_each_deed_leads_somewhere_else_from_where_it_is_allowed() -> None:
    assert set(LIFE) == set(Deed)
    for froms, to in LIFE.values():
        assert to not in froms
        assert TenantStatus.DELETING not in {*froms, to}
    assert [can_restore(status, NOW, NOW - timedelta(seconds=1)) for status in TenantStatus] == [False] * 3 + [True]
    assert not can_restore(TenantStatus.DELETING, NOW, NOW)


@pytest.mark.parametrize("way", Way)
async def test_an_archived_community_is_read_and_not_changed(service: Service, way: Way) -> None:
    founder, guest = [await sign_in(service, name) for name in ("founder", "guest")]
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_in_tenant(service, guest, tenant_id)
    owner, member = founder.client.in_tenant(tenant_id), guest.client.in_tenant(tenant_id)
    event = (await owner.call("createEvent", way=way, input=event_input())).ok()
    assert (await member.call("archiveTenant", way=way)).status == 403
    for _ in range(2):
        assert (await owner.call("archiveTenant", way=way)).ok()["status"] == "ARCHIVED"
    assert (await owner.call("event", way=way, id=event["id"])).ok()["id"] == event["id"]
    for verb, given in (
        ("createEvent", {"input": event_input()}),
        ("publishEvent", {"id": event["id"]}),
        ("updateTenant", {"input": {"name": "Another"}}),
        ("offerOwnership", {"userId": guest.user_id}),
    ):
        refused = await owner.call(verb, way=way, **given)
        assert (refused.status, refused.code) == (409, "TENANT_ARCHIVED")
    # What is a person's own is no business of the community's.
    (await member.call("logout", way=way)).ok()
    (await owner.call("unarchiveTenant", way=way)).ok()
    (await owner.call("publishEvent", way=way, id=event["id"])).ok()


@pytest.mark.parametrize("way", Way)
async def test_a_suspended_community_is_closed_to_its_people_and_none_to_others(service: Service, way: Way) -> None:
    founder, stranger = [await sign_in(service, name) for name in ("founder", "stranger")]
    tenant_id = await found_tenant(founder, "hill-valley")
    owner, staff = founder.client.in_tenant(tenant_id), await staff_of(service)
    for client in (owner, founder.client, stranger.client):
        assert (await client.call("suspendTenant", way=way, id=tenant_id, reason="No")).status == 403
    for _ in range(2):
        closed = (await staff.call("suspendTenant", way=way, id=tenant_id, reason="They sell mice")).ok()
        assert (closed["status"], closed["statusReason"]) == ("SUSPENDED", "They sell mice")
    for verb, given in (
        ("events", {}),
        ("currentTenant", {}),
        ("createEvent", {"input": event_input()}),
        ("archiveTenant", {}),
        ("deleteTenant", {}),
        ("restoreTenant", {}),
        ("logout", {}),
    ):
        refused = await owner.call(verb, way=way, **given)
        assert (refused.status, refused.code) == (403, "TENANT_SUSPENDED"), verb
    for client in (stranger.client.in_tenant(tenant_id), Client(service).in_tenant(tenant_id)):
        assert (await client.call("events", way=way)).code == "TENANT_NOT_FOUND"
    # From outside they see that it is theirs, and why it is closed.
    seen = (await founder.client.call("tenant", way=way, id=tenant_id)).ok()
    assert (seen["status"], seen["statusReason"]) == ("SUSPENDED", "They sell mice")
    (await staff.call("resumeTenant", way=way, id=tenant_id)).ok()
    (await owner.call("events", way=way)).ok()
    told = await ask(service.urls, DONE, tenant_id)
    assert told[-2:] == [("suspendTenant",), ("resumeTenant",)]


async def test_the_community_of_everybody_and_the_platform_s_stay_open(service: Service) -> None:
    staff = await staff_of(service)
    default = await value(service.urls, "select id from tenants where is_default")
    refused = await staff.call("suspendTenant", id=default, reason="No")
    assert (refused.status, refused.code) == (409, "DEFAULT_TENANT")
    for unknown in (PLATFORM_TENANT, UUID(int=7)):
        refused = await staff.call("suspendTenant", id=unknown, reason="No")
        assert (refused.status, refused.code) == (404, "TENANT_NOT_FOUND")
    owner = await sign_in(service, "founder")
    await change(service.urls, "update members set role = 'owner' where user_id = $1", owner.user_id)
    for verb in ("deleteTenant", "archiveTenant"):
        assert (await owner.client.call(verb)).code == "DEFAULT_TENANT"


@pytest.mark.parametrize("way", Way)
async def test_a_deleted_community_can_be_restored_as_it_was(service: Service, way: Way) -> None:
    founder, guest = [await sign_in(service, name) for name in ("founder", "guest")]
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_in_tenant(service, guest, tenant_id, role="admin")
    owner, admin = founder.client.in_tenant(tenant_id), guest.client.in_tenant(tenant_id)
    assert (await owner.call("restoreTenant", way=way)).code == "TENANT_STATUS"
    assert (await admin.call("deleteTenant", way=way)).status == 403
    (await owner.call("archiveTenant", way=way)).ok()
    closed = (await owner.call("deleteTenant", way=way)).ok()
    assert (await owner.call("deleteTenant", way=way)).ok() == closed
    wait = datetime.fromisoformat(closed["deletesAt"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < wait <= timedelta(days=30)
    for client, verb in ((owner, "events"), (admin, "currentTenant"), (admin, "updateTenant")):
        given = {"input": {"name": "Another"}} if verb == "updateTenant" else {}
        refused = await client.call(verb, way=way, **given)
        assert (refused.status, refused.code) == (410, "TENANT_DELETING")
    assert (await admin.call("restoreTenant", way=way)).status == 403
    assert (await owner.call("restoreTenant", way=way)).ok()["status"] == "ARCHIVED"
    (await owner.call("deleteTenant", way=way)).ok()
    await change(service.urls, "update tenants set deletes_at = now() where id = $1", tenant_id)
    assert (await owner.call("restoreTenant", way=way)).code == "GRACE_OVER"


async def _everything(service: Service) -> dict[str, str]:
    """Every row of every table there is, those of the queue too, as text by table."""
    tables = await ask(
        service.urls,
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'pgqueuer')",
    )
    return {
        name: json.dumps([row[0] for row in await ask(service.urls, f"select to_jsonb(t)::text from {name} t")])  # noqa: S608 - from the catalogue
        for (name,) in tables
    }


async def test_of_an_erased_community_nothing_is_left_but_its_audit_log(world: World) -> None:
    service, gone, other = world.service, world.victim, world.intruder
    (await gone.client(Standing.OWNER).call("deleteTenant")).ok()
    async with working(service.urls) as work:
        await work.quiet()
        await work.pass_to(datetime.now(UTC) + timedelta(days=29))
        # By now the other has done what was due there, too.
        before = await snapshot(service.urls, tenant_id=other.tenant_id)
        for counted in ("events", "mails"):
            rows = f"select count(*) from {counted} where tenant_id = $1"  # noqa: S608 - two constants
            assert await value(service.urls, rows, gone.tenant_id) > 0
        await change(
            service.urls, "update tenants set deletes_at = now() - interval '1 day' where id = $1", gone.tenant_id
        )
        await work.pass_to(datetime.now(UTC) + timedelta(days=29, hours=2))
    after = await snapshot(service.urls, tenant_id=other.tenant_id)
    for table in ("events", "event_members", "members", "messages", "custom_roles"):
        assert after[table] == before[table] != []
    found = await _everything(service)
    held = {name for name, rows in found.items() if str(gone.tenant_id) in rows}
    kept = {each.class_.__tablename__ for each in Table.registry.mappers if each.class_.outlives_tenant}
    assert held <= {f"public.{name}" for name in ("facts", "impersonations", *kept)}
    assert await value(service.urls, "select count(*) from facts where tenant_id = $1", gone.tenant_id) == 0
    left = await ask(service.urls, "select kind from facts where data::text like '%' || $1 || '%'", str(gone.tenant_id))
    assert await value(service.urls, "select count(*) from tenants where slug = 'northern'") == 0
    assert set(left) == {("tenant.due",), ("tenant.erased",)}
    # Accounts are people's own: their names and addresses stay, and nothing else that was written there.
    for table in ("events", "messages", "notifications", "custom_roles"):
        assert "northern" not in found[f"public.{table}"], table
    mailed = [row[0] for row in await ask(service.urls, MAILED)]
    assert [told for told in mailed if "northern" in told] == []
    assert [told for told in mailed if "access.impersonated" in told] != []


@pytest.mark.parametrize("way", Way)
async def test_anybody_finds_what_is_listed_and_nothing_else(service: Service, way: Way) -> None:
    founder = await sign_in(service, "founder")
    towns = {}
    communities: dict[str, dict[str, object]] = {
        "b-club": {"kind": "CLUB", "country": "PL", "isListed": True},
        "a-school": {"kind": "SCHOOL", "country": "DE", "isListed": True},
        "secret": {"kind": "CLUB", "country": "PL"},
        "closed": {"kind": "CLUB", "country": "PL", "isListed": True},
    }
    for slug, told in communities.items():
        made = await founder.client.call("createTenant", way=way, input={"slug": slug, "name": slug, **told})
        towns[slug] = made.ok()["id"]
    (await founder.client.in_tenant(towns["closed"]).call("archiveTenant", way=way)).ok()
    visitor = Client(service)

    async def found(**given: object) -> list[str]:
        return [each["slug"] for each in (await visitor.call("tenants", way=way, **given)).ok()["items"]]

    assert await found() == ["b-club", "a-school"]
    assert await found(order="NAME") == ["a-school", "b-club"]
    assert await found(filter={"kind": "CLUB"}) == await found(filter={"country": "PL"}) == ["b-club"]
    assert (await visitor.call("tenant", way=way, id=towns["b-club"])).ok()["slug"] == "b-club"
    for hidden in ("secret", "closed"):
        assert (await visitor.call("tenant", way=way, id=towns[hidden])).missing
        assert (await founder.client.call("tenant", way=way, id=towns[hidden])).ok()["slug"] == hidden
    # To be found is not to be open.
    assert (await visitor.in_tenant(towns["b-club"]).call("events", way=way)).code == "TENANT_NOT_FOUND"
