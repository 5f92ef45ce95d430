"""What people are told of their community and its teams: each who needs to know, in the product and by mail, and not who did it."""

from uuid import UUID

from muster.tenancy.tests.support import Club, found_club
from muster.tenancy.tests.test_life import staff_of
from muster.testing.below import ask, change
from muster.testing.serving import Service
from muster.testing.work import drain

_NOTICES = "select user_id, kind from notifications order by created_at, id"
_MAILS = "select user_id, kind from mails where kind like 'tenancy.%' order by created_at, id"


async def _told(club: Club) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Who was told what since the last look, in the product and by mail: names and kinds."""
    await drain(club.service.urls)
    names = {person.user_id: name for name, person in club.people.items()}
    found = [
        {(names[row[0]], row[1]) for row in await ask(club.service.urls, question) if row[0] in names}
        for question in (_NOTICES, _MAILS)
    ]
    await change(club.service.urls, "delete from notifications")
    await change(club.service.urls, "delete from mails")
    return found[0], found[1]


async def test_who_runs_a_community_is_told_of_its_life_but_not_who_did_it(service: Service) -> None:
    club, staff = await found_club(service, "admin", "participant"), await staff_of(service)
    owner, admin = club.client("owner"), club.client("admin")
    await _told(club)
    (await admin.call("archiveTenant")).ok()
    assert await _told(club) == ({("owner", "TENANT_ARCHIVED")}, {("owner", "tenancy.tenant_archived")})
    (await owner.call("unarchiveTenant")).ok()
    assert await _told(club) == ({("admin", "TENANT_OPENED")}, {("admin", "tenancy.tenant_opened")})
    (await staff.call("suspendTenant", id=club.tenant_id, reason="Unpaid since March")).ok()
    both = {"owner", "admin"}
    assert await _told(club) == (
        {(each, "TENANT_SUSPENDED") for each in both},
        {(each, "tenancy.tenant_suspended") for each in both},
    )
    (await staff.call("resumeTenant", id=club.tenant_id)).ok()
    await _told(club)
    (await owner.call("deleteTenant")).ok()
    # Of its end and its return everybody is told: what they have there would go with it.
    everybody = {"admin", "participant"}
    assert await _told(club) == (
        {(each, "TENANT_DELETION_BEGUN") for each in everybody},
        {(each, "tenancy.deletion_begun") for each in everybody},
    )
    (await owner.call("restoreTenant")).ok()
    assert await _told(club) == (
        {(each, "TENANT_RESTORED") for each in everybody},
        {(each, "tenancy.tenant_restored") for each in everybody},
    )


async def test_ownership_and_roles_are_told_to_whom_they_concern(service: Service) -> None:
    club = await found_club(service, "admin", "participant")
    owner, admin = club.client("owner"), club.client("admin")
    await _told(club)
    (await owner.call("changeMemberRole", userId=club.id_of("participant"), role="moderator")).ok()
    assert await _told(club) == ({("participant", "ROLE_CHANGED")}, {("participant", "tenancy.role_changed")})
    (await owner.call("offerOwnership", userId=club.id_of("admin"))).ok()
    assert await _told(club) == ({("admin", "OWNERSHIP_OFFERED")}, {("admin", "tenancy.ownership_offered")})
    (await admin.call("declineOwnership")).ok()
    assert await _told(club) == ({("owner", "OWNERSHIP_DECLINED")}, set())
    (await owner.call("offerOwnership", userId=club.id_of("admin"))).ok()
    await _told(club)
    (await admin.call("acceptOwnership")).ok()
    assert await _told(club) == ({("owner", "OWNERSHIP_PASSED")}, {("owner", "tenancy.ownership_passed")})


async def test_the_two_sides_of_a_team_tell_each_other(service: Service) -> None:
    club = await found_club(service, "participant", "spectator")
    owner, guest = club.client("owner"), club.client("participant")
    team_id = UUID((await owner.call("createTeam", input={"name": "Choir"})).ok()["id"])
    await _told(club)
    asked = (await guest.call("askToJoinTeam", teamId=team_id)).ok()
    assert await _told(club) == ({("owner", "TEAM_ASKED")}, {("owner", "tenancy.team_asked")})
    (await owner.call("rejectTeamRequest", id=asked["id"], reason="Full until spring")).ok()
    assert await _told(club) == ({("participant", "TEAM_REJECTED")}, {("participant", "tenancy.team_rejected")})
    asked = (await guest.call("askToJoinTeam", teamId=team_id)).ok()
    await _told(club)
    (await owner.call("approveTeamRequest", id=asked["id"])).ok()
    assert await _told(club) == ({("participant", "TEAM_APPROVED")}, {("participant", "tenancy.team_approved")})
    (await owner.call("changeTeamRole", teamId=team_id, userId=club.id_of("participant"), role="ADMIN")).ok()
    assert await _told(club) == ({("participant", "TEAM_ROLE_CHANGED")}, {("participant", "tenancy.team_role")})
    (await owner.call("removeFromTeam", teamId=team_id, userId=club.id_of("participant"))).ok()
    assert await _told(club) == ({("participant", "TEAM_REMOVED")}, {("participant", "tenancy.team_removed")})
    invited = (await owner.call("inviteToTeam", teamId=team_id, userId=club.id_of("participant"))).ok()
    assert await _told(club) == ({("participant", "TEAM_INVITED")}, {("participant", "tenancy.team_invited")})
    (await guest.call("approveTeamRequest", id=invited["id"])).ok()
    assert await _told(club) == ({("owner", "TEAM_APPROVED")}, set())
    # Whom the community itself removes is told that, and not of each team.
    (await owner.call("removeMember", userId=club.id_of("participant"))).ok()
    assert await _told(club) == (set(), {("participant", "tenancy.removed")})
    # Whom somebody has blocked reaches them by no team.
    (await club.client("spectator").call("blockUser", userId=club.id_of("owner"))).ok()
    await owner.call("inviteToTeam", teamId=team_id, userId=club.id_of("spectator"))
    assert await _told(club) == (set(), set())


async def test_a_team_tells_its_people_when_it_is_theirs_and_when_it_is_no_more(service: Service) -> None:
    club = await found_club(service, "admin", "participant", "spectator")
    owner, admin = club.client("owner"), club.client("admin")
    team_id = (await admin.call("createTeam", input={"name": "Choir"})).ok()["id"]
    for name in ("participant", "spectator"):
        asked = (await club.client(name).call("askToJoinTeam", teamId=team_id)).ok()
        (await admin.call("approveTeamRequest", id=asked["id"])).ok()
    (await admin.call("changeTeamRole", teamId=team_id, userId=club.id_of("participant"), role="ADMIN")).ok()
    await _told(club)
    (await owner.call("removeMember", userId=club.id_of("admin"))).ok()
    heir = ({("participant", "TEAM_INHERITED")}, {("participant", "tenancy.team_inherited")})
    assert await _told(club) == (heir[0], {*heir[1], ("admin", "tenancy.removed")})
    (await club.client("participant").call("deleteTeam", id=team_id)).ok()
    assert await _told(club) == ({("spectator", "TEAM_DELETED")}, {("spectator", "tenancy.team_deleted")})
