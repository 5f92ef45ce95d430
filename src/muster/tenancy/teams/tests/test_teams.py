"""Teams: who makes, sees, changes and deletes one, and who is in it."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once
from muster.kit.db.migrate import Urls
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask
from muster.testing.people import sign_in
from muster.testing.serving import Service, serving_in_process


async def _team(club: Club, by: str, **changes: object) -> UUID:
    made: Any = (await club.client(by).call("createTeam", input={"name": "First eleven", **changes})).ok()
    return UUID(made["id"])


async def _join(club: Club, team_id: UUID, name: str, *, role: str = "MEMBER", by: str = "owner") -> None:
    """Have somebody come into a team by invitation."""
    who = club.id_of(name)
    invited = (await club.client(by).call("inviteToTeam", teamId=team_id, userId=who, role=role)).ok()
    (await club.client(name).call("approveTeamRequest", id=invited["id"])).ok()


async def _people(club: Club, team_id: UUID, by: str = "owner") -> dict[str, str]:
    found = (await club.client(by).call("teamMembers", teamId=team_id)).ok()["items"]
    names = {str(person.user_id): name for name, person in club.people.items()}
    return {names[each["user"]["id"]]: each["role"] for each in found}


async def test_a_team_is_made_changed_and_deleted_by_who_owns_it(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "moderator")
    team_id = await _team(club, "participant")
    participant, spectator = club.client("participant"), club.client("spectator")
    assert (await spectator.call("createTeam", input={"name": "Second eleven"})).code == "FORBIDDEN"
    changed = (await participant.call("updateTeam", id=team_id, input={"description": "The league"})).ok()
    assert (changed["name"], changed["description"], changed["ownRole"]) == ("First eleven", "The league", "OWNER")
    for verb in ("updateTeam", "deleteTeam"):
        more: dict[str, Any] = {"input": {"name": "Ours"}} if verb == "updateTeam" else {}
        assert (await spectator.call(verb, id=team_id, **more)).code == "TEAM_FORBIDDEN"
    (await club.client("moderator").call("updateTeam", id=team_id, input={"name": "Eleven"})).ok()
    (await participant.call("deleteTeam", id=team_id)).ok()
    assert (await participant.call("updateTeam", id=team_id, input={"name": "Ours"})).code == "TEAM_NOT_FOUND"


async def test_a_team_is_seen_by_whom_it_is_for(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "moderator")
    ids = {each: await _team(club, "participant", name=each, visibility=each) for each in ("INTERNAL", "PRIVATE")}

    async def seen(name: str) -> set[str]:
        listed = (await club.client(name).call("teams")).ok()["items"]
        one = [await club.client(name).call("team", id=each) for each in ids.values()]
        assert {each["name"] for each in listed} == {each.ok()["name"] for each in one if not each.missing}
        return {each["name"] for each in listed}

    everything = {"INTERNAL", "PRIVATE"}
    assert [await seen(each) for each in club.people] == [everything, everything, {"INTERNAL"}, everything]
    spectator, hidden = club.client("spectator"), ids["PRIVATE"]
    assert (await spectator.call("teamMembers", teamId=hidden)).missing
    for verb in ("askToJoinTeam", "inviteToTeam"):
        more: dict[str, Any] = {"userId": club.id_of("moderator")} if verb == "inviteToTeam" else {}
        assert (await spectator.call(verb, teamId=hidden, **more)).code == "TEAM_NOT_FOUND"
    await _join(club, hidden, "spectator", role="VIEWER", by="participant")
    assert await seen("spectator") == everything
    mine = (await spectator.call("teams", ownOnly=True)).ok()["items"]
    assert [(each["name"], each["ownRole"]) for each in mine] == [("PRIVATE", "VIEWER")]


async def test_visitors_of_an_open_community_see_its_public_teams_and_nobody_in_them(service: Service) -> None:
    person, visitor = await sign_in(service, "person"), await sign_in(service, "visitor")
    made = {}
    for visibility in ("PUBLIC", "INTERNAL", "PRIVATE"):
        given = {"name": visibility, "visibility": visibility}
        made[visibility] = (await person.client.call("createTeam", input=given)).ok()["id"]
    (await visitor.client.call("leaveTenant")).ok()
    listed = (await visitor.client.call("teams")).ok()["items"]
    assert [each["name"] for each in listed] == ["PUBLIC"]
    assert (await visitor.client.call("teamMembers", teamId=made["PUBLIC"])).code == "NOT_A_MEMBER"


async def test_one_asks_and_those_who_run_the_team_decide(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "inspector")
    team_id = await _team(club, "participant")
    participant, spectator, inspector = (club.client(each) for each in ("participant", "spectator", "inspector"))
    asked = await at_once(*(spectator.call("askToJoinTeam", teamId=team_id, note="I keep goal") for _ in range(3)))
    assert len({each.ok()["id"] for each in asked}) == 1
    other = (await inspector.call("askToJoinTeam", teamId=team_id)).ok()
    request = asked[0].ok()["id"]
    assert [each["note"] for each in (await spectator.call("myTeamRequests")).ok()["items"]] == ["I keep goal"]
    assert len((await participant.call("teamRequests", teamId=team_id)).ok()["items"]) == 2
    assert len((await inspector.call("teamRequests", teamId=team_id)).ok()["items"]) == 1
    assert (await spectator.call("approveTeamRequest", id=request)).code == "TEAM_FORBIDDEN"
    assert (await inspector.call("approveTeamRequest", id=request)).code == "TEAM_REQUEST_NOT_FOUND"
    decisions = await at_once(*(participant.call("approveTeamRequest", id=request) for _ in range(3)))
    assert sorted(str(each.code) for each in decisions) == ["None"] + ["TEAM_REQUEST_DECIDED"] * 2
    assert await _people(club, team_id) == {"participant": "OWNER", "spectator": "MEMBER"}
    assert (await spectator.call("askToJoinTeam", teamId=team_id)).code == "IN_TEAM_ALREADY"
    turned_down = (await participant.call("rejectTeamRequest", id=other["id"], reason="we are full")).ok()
    assert (turned_down["status"], turned_down["reason"]) == ("REJECTED", "we are full")
    again = (await inspector.call("askToJoinTeam", teamId=team_id)).ok()
    assert (await participant.call("withdrawTeamRequest", id=again["id"])).code == "TEAM_FORBIDDEN"
    (await inspector.call("withdrawTeamRequest", id=again["id"])).ok()
    assert (await participant.call("approveTeamRequest", id=again["id"])).code == "TEAM_REQUEST_DECIDED"


async def test_an_invitation_is_answered_by_whom_it_is_to_and_rests_on_who_made_it(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "inspector")
    team_id = await _team(club, "participant", visibility="PRIVATE")
    await _join(club, team_id, "inspector", role="ADMIN", by="participant")
    admin, spectator = club.client("inspector"), club.client("spectator")
    who: dict[str, Any] = {"teamId": team_id, "userId": club.id_of("spectator")}
    assert (await admin.call("inviteToTeam", **who, role="OWNER")).code == "GRANTS_TOO_MUCH"
    invited = (await admin.call("inviteToTeam", **who, role="ADMIN")).ok()
    assert (await admin.call("inviteToTeam", **who)).ok()["role"] == "MEMBER"
    assert (await admin.call("approveTeamRequest", id=invited["id"])).code == "TEAM_FORBIDDEN"
    assert (await spectator.call("team", id=team_id)).ok()["ownRole"] is None
    participant = club.client("participant")
    (await participant.call("changeTeamRole", teamId=team_id, userId=club.id_of("inspector"), role="MEMBER")).ok()
    assert (await spectator.call("approveTeamRequest", id=invited["id"])).code == "INVITATION_VOID"
    (await participant.call("inviteToTeam", **who)).ok()
    (await spectator.call("askToJoinTeam", teamId=team_id)).ok()
    assert (await _people(club, team_id))["spectator"] == "MEMBER"


async def test_a_blocked_person_is_not_invited_and_who_invites_does_not_learn_it(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "inspector")
    team_id = await _team(club, "participant", visibility="PRIVATE")
    blocker, inviter = club.client("spectator"), club.client("participant")
    (await blocker.call("blockUser", userId=club.id_of("participant"))).ok()
    both = [
        (await inviter.call("inviteToTeam", teamId=team_id, userId=club.id_of(each))).ok()
        for each in ("spectator", "inspector")
    ]
    assert {each["status"] for each in both} == {"PENDING"}
    assert (await blocker.call("myTeamRequests")).ok()["items"] == []
    assert (await blocker.call("team", id=team_id)).missing
    assert (await blocker.call("approveTeamRequest", id=both[0]["id"])).code == "TEAM_REQUEST_NOT_FOUND"
    assert len((await club.client("inspector").call("myTeamRequests")).ok()["items"]) == 1


async def test_nobody_gives_or_takes_what_is_above_them_and_the_last_owner_stays(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "inspector")
    team_id = await _team(club, "participant")
    await _join(club, team_id, "inspector", role="ADMIN")
    await _join(club, team_id, "spectator")
    owner, admin, one = (club.client(each) for each in ("participant", "inspector", "spectator"))

    def _of(name: str) -> dict[str, Any]:
        return {"teamId": team_id, "userId": club.id_of(name)}

    assert (await admin.call("changeTeamRole", **_of("spectator"), role="OWNER")).code == "GRANTS_TOO_MUCH"
    assert (await admin.call("changeTeamRole", **_of("participant"), role="VIEWER")).code == "OUTRANKS_YOU"
    assert (await admin.call("removeFromTeam", **_of("participant"))).code == "OUTRANKS_YOU"
    assert (await one.call("changeTeamRole", **_of("spectator"), role="ADMIN")).code == "TEAM_FORBIDDEN"
    assert (await one.call("removeFromTeam", **_of("inspector"))).code == "TEAM_FORBIDDEN"
    assert (await owner.call("removeFromTeam", **_of("participant"))).code == "LAST_TEAM_OWNER"
    assert (await owner.call("changeTeamRole", **_of("participant"), role="ADMIN")).code == "LAST_TEAM_OWNER"
    (await owner.call("changeTeamRole", **_of("inspector"), role="OWNER")).ok()
    gone = await at_once(
        owner.call("removeFromTeam", **_of("participant")), admin.call("removeFromTeam", **_of("inspector"))
    )
    assert sorted(str(each.code) for each in gone) == ["LAST_TEAM_OWNER", "None"]
    (await one.call("removeFromTeam", **_of("spectator"))).ok()
    assert list((await _people(club, team_id)).values()) == ["OWNER"]


@pytest.mark.parametrize("goes_by", ["leaveTenant", "removeMember", "suspendMember"])
async def test_who_goes_from_the_community_goes_from_its_teams_and_somebody_owns_them(
    service: Service, goes_by: str
) -> None:
    club = await found_club(service, "participant", "spectator", "inspector")
    team_id = await _team(club, "participant")
    await _join(club, team_id, "spectator", role="VIEWER")
    await _join(club, team_id, "inspector", role="ADMIN")
    alone = await _team(club, "participant", name="On my own")
    by = "participant" if goes_by == "leaveTenant" else "owner"
    who: dict[str, Any] = {} if goes_by == "leaveTenant" else {"userId": club.id_of("participant")}
    (await club.client(by).call(goes_by, **who)).ok()
    assert await _people(club, team_id) == {"spectator": "VIEWER", "inspector": "OWNER"}
    assert await _people(club, alone) == {}
    facts = await ask(service.urls, "select data ->> 'user_id' from facts where kind = 'team.inherited'")
    assert [each[0] for each in facts] == [str(club.id_of("inspector"))]
    (await club.client("owner").call("deleteTeam", id=alone)).ok()


async def test_limits_hold_when_many_come_at_once(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_TEAMS_PER_TENANT="2", MUSTER_PEOPLE_PER_TEAM="2") as service:
        await _come_at_once(service)


async def _come_at_once(service: Service) -> None:
    club = await found_club(service, "participant", "spectator", "inspector")
    made = await at_once(*(club.client("participant").call("createTeam", input={"name": "Team"}) for _ in range(5)))
    assert sorted(str(each.code) for each in made) == ["None"] * 2 + ["TOO_MANY_TEAMS"] * 3
    team_id = next(each.ok()["id"] for each in made if each.code is None)
    requests = [
        (await club.client(each).call("askToJoinTeam", teamId=team_id)).ok() for each in ("spectator", "inspector")
    ]
    owner = club.client("participant")
    let_in = await at_once(*(owner.call("approveTeamRequest", id=each["id"]) for each in requests))
    assert sorted(str(each.code) for each in let_in) == ["None", "TEAM_FULL"]
    assert len(await _people(club, team_id)) == 2


async def test_somebody_removed_while_they_are_let_in_has_no_seat(service: Service) -> None:
    club = await found_club(service, "participant", "spectator")
    team_id = await _team(club, "participant")
    asked = (await club.client("spectator").call("askToJoinTeam", teamId=team_id)).ok()
    await at_once(
        club.client("participant").call("approveTeamRequest", id=asked["id"]),
        club.client("owner").call("removeMember", userId=club.id_of("spectator")),
    )
    assert "spectator" not in await _people(club, team_id)
    open_ = await ask(service.urls, "select 1 from team_requests where status = 'PENDING'")
    assert open_ == []


async def test_a_role_of_the_communitys_own_manages_teams_as_it_says(service: Service) -> None:
    club = await found_club(service, "participant", "spectator")
    team_id = await _team(club, "participant", visibility="PRIVATE")
    owner, spectator = club.client("owner"), club.client("spectator")
    (await owner.call("createRole", input={"slug": "captain", "name": "Captain", "additions": ["team:manage"]})).ok()
    (await owner.call("changeMemberRole", userId=club.id_of("spectator"), role="captain")).ok()
    assert (await spectator.call("team", id=team_id)).ok()["name"] == "First eleven"
    (await spectator.call("updateTeam", id=team_id, input={"name": "Eleven"})).ok()
    (await owner.call("updateRole", slug="captain", input={"base": "moderator", "removals": ["team:manage"]})).ok()
    assert (await spectator.call("team", id=team_id)).missing
    assert (await spectator.call("updateTeam", id=team_id, input={"name": "Ours"})).code == "TEAM_NOT_FOUND"
