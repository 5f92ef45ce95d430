"""Why somebody may do something: the grant or the absence that decides is the one that the gate decides by."""

from uuid import UUID, uuid4

import pytest

from muster.access.roles import GRANTABLE, PERMISSIONS, ROLES, effective
from muster.access.rules import GRANTS, Ground, ground_of_role
from muster.kit.caller import Permission
from muster.testing.client import Way
from muster.testing.people import found_tenant, give_role, put_in_tenant, put_role, sign_in, suspend
from muster.testing.serving import Service
from muster.testing.town import make_event

CASES = {
    "a built-in role gives": (("moderator", None, (), ()), Ground.ROLE_GIVES),
    "a built-in role lacks": (("spectator", None, (), ()), Ground.ROLE_LACKS),
    "a role that there is not lacks": (("emperor", None, (), ()), Ground.ROLE_LACKS),
    "the base gives": (("host", "moderator", (), ()), Ground.BASE_GIVES),
    "the role adds": (("host", "spectator", ("event:moderate",), ()), Ground.ROLE_ADDS),
    "the role takes away": (("host", "moderator", (), ("event:moderate",)), Ground.ROLE_REMOVES),
    "it takes away what it adds": (
        ("host", "spectator", ("event:moderate",), ("event:moderate",)),
        Ground.ROLE_REMOVES,
    ),
    "a role of a community's own lacks": (("host", "spectator", ("event:create",), ()), Ground.ROLE_LACKS),
}


@pytest.mark.parametrize("case", CASES)
def test_what_of_a_role_decides(case: str) -> None:
    (role, base, additions, removals), ground = CASES[case]
    assert ground_of_role(Permission("event:moderate"), role, base, additions, removals) == ground


def test_an_explanation_never_differs_from_what_the_role_gives() -> None:
    for permission in PERMISSIONS:
        for role, gives in ROLES.items():
            assert (ground_of_role(permission, role) in GRANTS) == (permission in gives)
            for additions, removals in ((sorted(GRANTABLE), []), ([], sorted(GRANTABLE)), (["tenant:delete"], [])):
                told = ground_of_role(permission, "own", role, additions, removals) in GRANTS
                assert told == (permission in effective(role, additions, removals))


@pytest.mark.parametrize("way", Way)
async def test_it_is_told_to_admins_what_decided(service: Service, way: Way) -> None:
    names = ("owner", "guest", "host", "barred", "organiser", "stranger")
    people = {name: await sign_in(service, name) for name in names}
    tenant_id = await found_tenant(people["owner"], "hill-valley")
    for name in names[1:-1]:
        await put_in_tenant(service, people[name], tenant_id)
    await put_role(service, tenant_id, "host", base="spectator", add=["event:moderate"])
    await give_role(service, people["host"], tenant_id, "host")
    await suspend(service, people["barred"], tenant_id)
    owner = people["owner"].client.in_tenant(tenant_id)
    event_id = await make_event(people["organiser"].client.in_tenant(tenant_id))
    draft_id = await make_event(people["organiser"].client.in_tenant(tenant_id), publish=False)

    async def told(name: str, permission: str = "event:moderate", object_id: UUID | None = None) -> tuple[bool, str]:
        given = {} if object_id is None else {"objectId": object_id}
        person = people[name].user_id
        found = (await owner.call("explainAccess", way=way, userId=person, permission=permission, **given)).ok()
        return found["allowed"], found["ground"]

    assert await told("owner") == (True, "ROLE_GIVES")
    assert await told("guest") == (False, "ROLE_LACKS")
    assert await told("host") == (True, "ROLE_ADDS")
    assert await told("barred") == (False, "MEMBER_SUSPENDED")
    assert await told("stranger") == (False, "NOT_A_MEMBER")
    assert await told("organiser", object_id=event_id) == (True, "OBJECT_ALLOWS")
    assert await told("guest", object_id=event_id) == (False, "ROLE_LACKS")
    assert await told("host", object_id=draft_id) == (False, "OBJECT_REFUSES")
    assert await told("owner", "member:remove", people["guest"].user_id) == (True, "ROLE_GIVES")
    await put_role(service, tenant_id, "warden", base="spectator", add=["member:remove"])
    await give_role(service, people["guest"], tenant_id, "warden")
    assert await told("guest", "member:remove", people["owner"].user_id) == (False, "OBJECT_REFUSES")
    asked = {"userId": people["guest"].user_id, "permission": "event:moderate"}
    for caller in (people["guest"].client.in_tenant(tenant_id), people["host"].client.in_tenant(tenant_id)):
        assert (await caller.call("explainAccess", way=way, **asked)).code == "FORBIDDEN"
    odd = await owner.call("explainAccess", way=way, **{**asked, "permission": "event:devour"})
    assert (odd.status, odd.problem["errors"][0]["path"]) == (422, "permission")
    assert (await owner.call("explainAccess", way=way, **asked, objectId=uuid4())).code == "OBJECT_NOT_FOUND"
    nobody = await owner.call("explainAccess", way=way, **{**asked, "userId": uuid4()})
    assert nobody == await owner.call("explainAccess", way=way, **{**asked, "userId": people["stranger"].user_id})
