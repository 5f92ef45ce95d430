"""Roles that a community makes: what they are made of, and that nobody gives what they do not hold."""

import asyncio
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from muster.access.roles import OWNER_ALONE, PERMISSIONS, PLATFORM_ALONE, ROLES, STAFF, effective
from muster.testing.below import value
from muster.testing.client import Client, Way
from muster.testing.people import Person, found_tenant, give_role, put_in_tenant, put_role, sign_in
from muster.testing.serving import Service
from muster.testing.town import event_input


@dataclass(frozen=True)
class Hill:
    """A community with its owner, an officer who may do all with roles but little else, and a guest."""

    service: Service
    tenant_id: UUID
    owner: Client
    officer: Client
    guest: Client
    people: dict[str, Person]


@pytest.fixture
async def hill(service: Service) -> Hill:
    people = {name: await sign_in(service, name) for name in ("owner", "officer", "guest")}
    tenant_id = await found_tenant(people["owner"], "hill-valley")
    for name in ("officer", "guest"):
        await put_in_tenant(service, people[name], tenant_id, role="spectator")
    may = ["role:create", "role:update", "role:delete", "event:create"]
    await put_role(service, tenant_id, "officer", base="spectator", add=may)
    await give_role(service, people["officer"], tenant_id, "officer")
    clients = {name: each.client.in_tenant(tenant_id) for name, each in people.items()}
    return Hill(service, tenant_id, **clients, people=people)


def _role(**changes: Any) -> dict[str, Any]:
    return {"slug": "host", "name": "Host", "base": "spectator", "additions": ["event:create"], **changes}


@pytest.mark.parametrize("way", Way)
async def test_a_role_is_made_read_changed_and_deleted(hill: Hill, way: Way) -> None:
    made = (await hill.officer.call("createRole", way=way, input=_role(colour="#336699"))).ok()
    assert made == {
        "id": made["id"],
        "slug": "host",
        "name": "Host",
        "colour": "#336699",
        "base": "spectator",
        "additions": ["event:create"],
        "removals": [],
        "permissions": ["event:create"],
        "isBuiltIn": False,
    }
    assert (await hill.guest.call("role", way=way, slug="host")).ok() == made
    changed = (await hill.officer.call("updateRole", way=way, slug="host", input={"removals": ["event:create"]})).ok()
    assert changed == {**made, "removals": ["event:create"], "permissions": []}
    (await hill.officer.call("deleteRole", way=way, slug="host")).ok()
    assert (await hill.guest.call("role", way=way, slug="host")).missing
    assert (await hill.officer.call("deleteRole", way=way, slug="host")).code == "ROLE_NOT_FOUND"


# Rows as an older or a newer release may have left them; no command makes most of these.
ODD = {
    "of_admin": ("admin", [], []),
    "twice": ("participant", ["event:create", "member:remove"], ["key:create"]),
    "taken_away": ("spectator", ["member:remove"], ["member:remove"]),
    "of_nothing": ("emperor", ["event:create", "soup:stir"], ["tenant:suspend"]),
    "of_owner": ("owner", ["tenant:delete"], ["user:impersonate"]),
    "of_staff": ("staff", ["user:impersonate"], []),
}


async def test_every_role_and_every_permission_is_listed(hill: Hill) -> None:
    for slug, (base, additions, removals) in ODD.items():
        await put_role(hill.service, hill.tenant_id, slug, base=base, add=additions, remove=removals)
    listed = (await hill.guest.call("roles", first=100)).ok()["items"]
    assert {each["slug"] for each in listed} == (ROLES.keys() - {STAFF}) | {"officer"} | ODD.keys()
    for each in listed:
        expected = (
            ROLES[each["slug"]] if each["isBuiltIn"] else effective(each["base"], each["additions"], each["removals"])
        )
        assert each["permissions"] == sorted(expected)
    permissions = (await hill.guest.call("permissions", first=100)).ok()["items"]
    assert {each["name"]: each["meaning"] for each in permissions} == PERMISSIONS
    assert {each["name"] for each in permissions if not each["isGrantable"]} == OWNER_ALONE | PLATFORM_ALONE


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a base that there is not": ({"base": "emperor"}, "base"),
    "the owner's as a base": ({"base": "owner"}, "base"),
    "the staff's as a base": ({"base": "staff"}, "base"),
    "a permission that there is not": ({"additions": ["event:create", "event:devour"]}, "additions[1]"),
    "what is the owner's alone": ({"additions": ["tenant:delete"]}, "additions[0]"),
    "what is the platform's alone": ({"additions": ["user:impersonate"]}, "additions[0]"),
    "a removal of nothing": ({"removals": ["event:devour"]}, "removals[0]"),
    "a wild card": ({"additions": ["*"]}, "additions[0]"),
    "a colour that is none": ({"colour": "red"}, "colour"),
    "a slug with capitals": ({"slug": "Host"}, "slug"),
}


async def test_what_makes_no_role_is_refused_with_the_field(hill: Hill) -> None:
    for case, (changes, path) in BAD.items():
        refused = await hill.owner.call("createRole", input=_role(**changes))
        assert (refused.status, [each["path"] for each in refused.problem["errors"]]) == (422, [path]), case
    assert await value(hill.service.urls, "select count(*) from custom_roles") == 1


async def test_a_slug_that_is_taken_is_refused(hill: Hill) -> None:
    for slug in (*ROLES, "officer"):
        assert (await hill.owner.call("createRole", input=_role(slug=slug))).code == "ROLE_TAKEN"
    wanted = [hill.owner.call("createRole", input=_role()) for _ in range(4)]
    assert sorted(str(each.code) for each in await asyncio.gather(*wanted)) == ["None"] + ["ROLE_TAKEN"] * 3


async def test_nobody_changes_a_built_in_role(hill: Hill) -> None:
    for client, role in product((hill.owner, hill.officer), ROLES):
        assert (await client.call("updateRole", slug=role, input={"name": "Mine"})).code == "ROLE_BUILT_IN"
        assert (await client.call("deleteRole", slug=role)).code == "ROLE_BUILT_IN"


GREEDY: dict[str, tuple[str, dict[str, Any]]] = {
    "by a base": ("createRole", {"input": _role(base="admin")}),
    "by an addition": ("createRole", {"input": _role(additions=["member:remove"])}),
    "by a base, taken away for now": ("createRole", {"input": _role(base="admin", removals=sorted(PERMISSIONS))}),
    "by an addition, taken away for now": (
        "createRole",
        {"input": _role(additions=["member:remove"], removals=["member:remove"])},
    ),
    "by adding to their own": (
        "updateRole",
        {"slug": "officer", "input": {"additions": ["role:update", "audit:read"]}},
    ),
    "by the base of their own": ("updateRole", {"slug": "officer", "input": {"base": "moderator"}}),
    "by taking from who is above them": ("updateRole", {"slug": "chief", "input": {"additions": []}}),
    "by deleting what is above them": ("deleteRole", {"slug": "chief"}),
}


async def test_nobody_gives_what_they_do_not_hold(hill: Hill) -> None:
    await put_role(hill.service, hill.tenant_id, "chief", base="spectator", add=["member:remove"])
    before = await _roles(hill)
    for case, (name, arguments) in GREEDY.items():
        refused = await hill.officer.call(name, **arguments)
        assert (refused.status, refused.code) == (403, "GRANTS_TOO_MUCH"), case
        assert refused.problem["missing"], case
        assert set(refused.problem["missing"]) <= PERMISSIONS.keys()
        assert (await hill.guest.call(name, **arguments)).code == "FORBIDDEN"
    assert await _roles(hill) == before


async def test_a_changed_role_bites_on_the_next_request_of_who_has_it(hill: Hill) -> None:
    await give_role(hill.service, hill.people["guest"], hill.tenant_id, "officer")
    (await hill.guest.call("createEvent", input=event_input())).ok()
    (await hill.owner.call("updateRole", slug="officer", input={"removals": ["event:create"]})).ok()
    assert (await hill.guest.call("createEvent", input=event_input())).code == "FORBIDDEN"


async def test_a_role_that_somebody_has_stays(hill: Hill) -> None:
    refused = await hill.owner.call("deleteRole", slug="officer")
    assert (refused.status, refused.code, refused.problem["members"]) == (409, "ROLE_IN_USE", 1)


async def test_a_role_is_given_or_deleted_and_never_both(hill: Hill) -> None:
    """Eight times one deletes a role while another gives it: whoever comes second is refused."""
    for number in range(8):
        slug = f"role_{number}"
        await put_role(hill.service, hill.tenant_id, slug, base="spectator")
        deleted, given = await asyncio.gather(
            hill.owner.call("deleteRole", slug=slug), _gives(hill, slug), return_exceptions=True
        )
        assert not isinstance(deleted, BaseException)
        if isinstance(given, asyncpg.ForeignKeyViolationError):
            assert deleted.code is None
        else:
            assert (given, deleted.code) == (None, "ROLE_IN_USE")


async def _gives(hill: Hill, slug: str) -> None:
    await give_role(hill.service, hill.people["guest"], hill.tenant_id, slug)


async def _roles(hill: Hill) -> Any:
    return await value(hill.service.urls, "select json_agg(r order by slug)::text from custom_roles r")
