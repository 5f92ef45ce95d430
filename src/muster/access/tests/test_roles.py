"""The catalogue: what roles give, who may ask for what, and what stops a start."""

import re
from dataclasses import replace

import pytest

import muster.slices  # noqa: F401 - importing it declares every endpoint
from muster.access.catalogue import declarations, undeclared
from muster.access.roles import (
    GRANTABLE,
    OWNER,
    OWNER_ALONE,
    PERMISSIONS,
    PLATFORM_ALONE,
    ROLES,
    STAFF,
    effective,
    permissions_of,
)
from muster.kit.caller import Caller, CustomRole, Permission, TenantStatus
from muster.testing.below import value
from muster.testing.people import found_tenant, give_role, put_in_tenant, put_role, sign_in
from muster.testing.serving import Service
from muster.testing.town import event_input

CASES = {
    "a base alone": (("participant", [], []), ROLES["participant"]),
    "something added": (("spectator", ["event:create"], []), {"event:create"}),
    "something taken away": (("participant", [], ["event:create"]), ROLES["participant"] - {"event:create"}),
    "what is added and taken away is taken away": (("spectator", ["event:create"], ["event:create"]), set()),
    "no base that there is": (("emperor", ["event:create"], []), {"event:create"}),
    "nothing that a release does not know": (("spectator", ["event:devour"], []), set()),
    "nothing of the owner's alone": (("spectator", ["tenant:delete"], []), set()),
    "nothing of the platform's": (("spectator", ["user:impersonate"], []), set()),
    "nor by a base": (("staff", [], []), set()),
    "nor the owner's by a base": (("owner", [], []), GRANTABLE),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_role_gives(case: str) -> None:
    (base, additions, removals), given = CASES[case]
    assert effective(base, additions, removals) == given
    caller = Caller(TenantStatus.ACTIVE, True, True, "greeter", CustomRole(base, tuple(additions), tuple(removals)))
    assert permissions_of(caller) == given


@pytest.mark.parametrize("role", [None, "emperor", "super_admin", "", "OWNER"])
def test_a_role_that_there_is_not_gives_nothing(role: str | None) -> None:
    assert permissions_of(Caller(TenantStatus.ACTIVE, True, True, role)) == frozenset()


def test_who_runs_a_community_has_nothing_of_the_platform() -> None:
    assert not any(ROLES[role] & PLATFORM_ALONE for role in ROLES if role != STAFF)
    assert {role for role in ROLES if ROLES[role] & OWNER_ALONE} == {OWNER}


def test_a_permission_is_a_resource_and_an_action_and_says_what_it_allows() -> None:
    for permission, meaning in PERMISSIONS.items():
        assert re.fullmatch(r"[a-z]+:[a-z]+", permission)
        assert len(meaning) > 5


def test_everything_that_is_asked_for_is_declared() -> None:
    assert undeclared(declarations()) == []


def test_what_is_not_declared_stops_the_start() -> None:
    odd = replace(declarations()["createEvent"], permission=Permission("event:devour"))
    remedy = "which is no permission; declare it in access/roles.py, or correct its name"
    assert undeclared({"createEvent": odd}, {"cook": frozenset({Permission("soup:stir")})}) == [
        f"createEvent asks for event:devour, {remedy}",
        f"the role cook gives soup:stir, {remedy}",
    ]


async def test_the_database_knows_the_built_in_roles(service: Service) -> None:
    condition = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'custom_roles_slug_check'"
    generated = (
        "select pg_get_expr(adbin, adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid "
        "and a.attnum = d.adnum where attrelid = 'members'::regclass and attname = 'custom_role'"
    )
    for question in (condition, generated):
        assert set(re.findall(r"'(\w+)'::text", await value(service.urls, question))) == ROLES.keys()


async def test_a_role_of_a_communitys_own_bites_on_the_next_request(service: Service) -> None:
    founder, guest = [await sign_in(service, name) for name in ("founder", "guest")]
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_in_tenant(service, guest, tenant_id, role="spectator")
    client = guest.client.in_tenant(tenant_id)
    refused = await client.call("createEvent", input=event_input())
    assert (refused.status, refused.code, refused.problem["permission"]) == (403, "FORBIDDEN", "event:create")
    assert "event:create" in refused.problem["detail"]
    await put_role(service, tenant_id, "host", base="spectator", add=["event:create"])
    await give_role(service, guest, tenant_id, "host")
    (await client.call("createEvent", input=event_input())).ok()
    await put_role(service, tenant_id, "barred_host", base="admin", add=["event:create"], remove=["event:create"])
    await give_role(service, guest, tenant_id, "barred_host")
    assert (await client.call("createEvent", input=event_input())).code == "FORBIDDEN"
