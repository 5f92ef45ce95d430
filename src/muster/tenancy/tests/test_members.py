"""Members: who is one, who decides about them, and what ends with a membership."""

from typing import Any

import pytest

from muster.events.tests.support import at_once, sound
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask, change, value
from muster.testing.people import give_role, put_role
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import drain

FACTS = "select count(*) from facts where kind = $1 and tenant_id = $2"
_STATUS = "select status from members where tenant_id = $1 and user_id = $2"


async def _status(club: Club, name: str) -> str:
    found: str = await value(club.service.urls, _STATUS, club.tenant_id, club.id_of(name))
    return found


async def test_members_are_listed_by_role_and_by_the_words_of_their_names(service: Service) -> None:
    club = await found_club(service, "admin", "moderator", "participant", "spectator")
    mine = club.client("spectator")
    everybody = (await mine.call("tenantMembers")).ok()["items"]
    assert [each["role"] for each in everybody] == ["owner", "admin", "moderator", "participant", "spectator"]
    (found,) = (await mine.call("tenantMembers", filter={"text": "ADMIN"})).ok()["items"]
    assert found["user"] == {"id": str(club.id_of("admin")), "name": "chess-club admin"}
    assert [
        each["role"] for each in (await mine.call("tenantMembers", filter={"role": "moderator"})).ok()["items"]
    ] == ["moderator"]
    one = (await mine.call("tenantMember", userId=club.id_of("owner"))).ok()
    assert (one["role"], one["status"], one["note"]) == ("owner", "ACTIVE", None)
    assert "email" not in str(everybody)


async def test_people_list_the_communities_they_are_in_from_anywhere(service: Service) -> None:
    club = await found_club(service, "participant", "admin")
    member = club.people["participant"].client
    assert [(each["slug"], each["ownRole"]) for each in (await member.call("myTenants")).ok()["items"]] == [
        ("main", "participant"),
        ("chess-club", "participant"),
    ]
    (await club.client("admin").call("suspendMember", userId=club.id_of("participant"))).ok()
    assert [each["slug"] for each in (await member.call("myTenants")).ok()["items"]] == ["main"]


async def test_who_leaves_is_outside_at_once_and_the_owner_stays(service: Service) -> None:
    club = await found_club(service, "participant", "admin")
    assert (await club.client("owner").call("leaveTenant")).code == "TENANT_OWNER_STAYS"
    (await club.client("participant").call("leaveTenant", note="moved away")).ok()
    assert (await club.client("participant").call("tenantMembers")).code == "TENANT_NOT_FOUND"
    (gone,) = (await club.client("admin").call("inactiveMembers")).ok()["items"]
    assert (gone["status"], gone["note"]) == ("LEFT", "moved away")
    assert (await club.client("admin").call("tenantMember", userId=club.id_of("participant"))).missing
    assert await value(service.urls, FACTS, "member.left", club.tenant_id) == 1


async def test_a_suspension_closes_the_door_until_it_is_lifted(service: Service) -> None:
    club = await found_club(service, "participant", "moderator")
    given: dict[str, Any] = {"userId": club.id_of("participant")}
    for _ in range(2):
        assert (await club.client("moderator").call("suspendMember", **given, note="loud")).ok()[
            "status"
        ] == "SUSPENDED"
    assert (await club.client("participant").call("tenantMembers")).code == "TENANT_NOT_FOUND"
    resumed = (await club.client("moderator").call("resumeMember", **given)).ok()
    assert (resumed["status"], resumed["note"]) == ("ACTIVE", None)
    (await club.client("participant").call("tenantMembers")).ok()
    assert await value(service.urls, FACTS, "member.suspended", club.tenant_id) == 1


@pytest.mark.parametrize("verb", ["removeMember", "suspendMember", "resumeMember", "changeMemberRole"])
async def test_nobody_touches_who_holds_more_and_nobody_the_owner(service: Service, verb: str) -> None:
    club = await found_club(service, "admin", "moderator", "participant")
    # May do all four, but holds less than an admin.
    held = ["member:remove", "member:suspend", "role:assign"]
    await put_role(service, club.tenant_id, "steward", base="moderator", add=held)
    await give_role(service, club.people["moderator"], club.tenant_id, "steward")
    role: dict[str, Any] = {"role": "spectator"} if verb == "changeMemberRole" else {}
    steward = club.client("moderator")
    assert (await steward.call(verb, userId=club.id_of("admin"), **role)).code == "OUTRANKS_YOU"
    assert (await steward.call(verb, userId=club.id_of("owner"), **role)).code == "TENANT_OWNER_STAYS"
    assert (await club.client("participant").call(verb, userId=club.id_of("admin"), **role)).code == "FORBIDDEN"
    assert await _status(club, "admin") == "ACTIVE"
    if not role:
        assert (await steward.call(verb, userId=club.id_of("moderator"))).code == "NOT_ONESELF"


async def test_a_role_counts_from_the_next_request_and_is_never_more_than_ones_own(service: Service) -> None:
    club = await found_club(service, "admin", "participant", "moderator")
    await put_role(service, club.tenant_id, "greeter", base="spectator", add=["role:assign"])
    await give_role(service, club.people["moderator"], club.tenant_id, "greeter")
    admin = club.client("admin")
    given: dict[str, Any] = {"userId": club.id_of("participant")}
    assert (await club.client("participant").call("inactiveMembers")).code == "FORBIDDEN"
    (await admin.call("changeMemberRole", **given, role="admin")).ok()
    (await club.client("participant").call("inactiveMembers")).ok()
    (await admin.call("changeMemberRole", **given, role="spectator")).ok()
    assert (await club.client("participant").call("inactiveMembers")).code == "FORBIDDEN"
    too_much = await club.client("moderator").call("changeMemberRole", **given, role="admin")
    assert too_much.code == "GRANTS_TOO_MUCH"
    for odd in ("owner", "emperor"):
        assert (await admin.call("changeMemberRole", **given, role=odd)).code == "VALIDATION_ERROR"
    changes = await ask(
        service.urls, "select data ->> 'role', data ->> 'was' from facts where kind = 'member.role_changed'"
    )
    assert [tuple(row) for row in changes] == [("admin", "participant"), ("spectator", "admin")]


async def test_of_those_who_remove_somebody_at_once_one_does(service: Service) -> None:
    club = await found_club(service, "admin", "participant")
    by = [club.client("admin"), club.client("owner")] * 3
    answers = await at_once(*(each.call("removeMember", userId=club.id_of("participant")) for each in by))
    assert {answer.code for answer in answers} == {None}
    assert await value(service.urls, FACTS, "member.removed", club.tenant_id) == 1


async def test_a_role_of_the_communitys_own_can_be_deleted_once_its_last_member_is_gone(service: Service) -> None:
    club = await found_club(service, "admin", "participant")
    await put_role(service, club.tenant_id, "greeter", base="participant")
    await give_role(service, club.people["participant"], club.tenant_id, "greeter")
    (await club.client("participant").call("leaveTenant")).ok()
    await change(service.urls, "delete from custom_roles where slug = 'greeter'")
    assert await _status(club, "participant") == "LEFT"


async def test_the_places_of_who_goes_are_given_to_who_waits(service: Service) -> None:
    club = await found_club(service, "admin", "participant", "spectator")
    event_id = await make_event(club.client("owner"), max=2)
    own_id = await make_event(club.client("participant"))
    for name in ("participant", "spectator"):
        (await club.client(name).call("joinEvent", eventId=event_id)).ok()
    (await club.client("admin").call("removeMember", userId=club.id_of("participant"))).ok()
    await drain(service.urls)
    waiting = (await club.client("spectator").call("myMembershipForEvent", eventId=event_id)).ok()
    assert waiting["status"] == "JOINED"
    assert (await club.client("owner").call("event", id=own_id)).ok()["status"] == "CANCELLED"
    await sound(service, event_id)
