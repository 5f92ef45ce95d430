"""Coming into a team from outside the community, by mail and by link."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once
from muster.identity.seals import invitation_token
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask, value
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service
from muster.testing.work import drain

_MAILED = "select address from mails where kind = 'tenancy.invitation' order by created_at"


async def _club(service: Service) -> tuple[Club, UUID]:
    club = await found_club(service, "moderator", "participant")
    made = (await club.client("moderator").call("createTeam", input={"name": "Choir", "visibility": "PRIVATE"})).ok()
    return club, UUID(made["id"])


async def _invited(club: Club, person: Person, **more: Any) -> str:
    """Invite somebody by mail; answers with the token that is mailed."""
    email = await value(club.service.urls, "select email from users where id = $1", person.user_id)
    made = (await club.client("moderator").call("inviteMember", input={"email": email, **more})).ok()
    return invitation_token(club.service.settings.security.jwt_secret, club.tenant_id, UUID(made["id"]))


async def _role(club: Club, team_id: UUID, person: Person) -> str | None:
    found: str | None = await value(
        club.service.urls, "select role from team_members where team_id = $1 and user_id = $2", team_id, person.user_id
    )
    return found


async def test_a_letter_leads_into_the_community_and_the_team(service: Service) -> None:
    (club, team_id), guest = await _club(service), await sign_in(service, "guest")
    token = await _invited(club, guest, teamId=team_id, teamRole="ADMIN")
    assert (await guest.client.call("readInvitation", token=token)).ok()["team"] == "Choir"
    await drain(service.urls)
    mails = (await service.http.get("/dev/mail.json")).json()
    assert any("You would be in its team Choir, too." in each["text"] for each in mails)
    (await guest.client.call("acceptInvitation", token=token)).ok()
    assert await _role(club, team_id, guest) == "ADMIN"
    (made,) = (await club.client("moderator").call("invitations")).ok()["items"]
    assert (made["team"]["name"], made["teamRole"], made["status"]) == ("Choir", "ADMIN", "ACCEPTED")


async def test_a_member_is_mailed_what_leads_into_a_team_they_are_not_in(service: Service) -> None:
    club, team_id = await _club(service)
    member = club.people["participant"]
    await _invited(club, member)
    await drain(service.urls)
    token = await _invited(club, member, teamId=team_id)
    await drain(service.urls)
    assert len(await ask(service.urls, _MAILED)) == 1
    (await member.client.call("acceptInvitation", token=token)).ok()
    assert await _role(club, team_id, member) == "MEMBER"


async def test_a_link_lets_each_into_the_team_once(service: Service) -> None:
    club, team_id = await _club(service)
    moderator, member = club.client("moderator"), club.people["participant"]
    link = (await moderator.call("createInvitationLink", input={"teamId": team_id, "maxUses": 2})).ok()
    guests = [await sign_in(service, name) for name in ("guest", "other")]
    (await member.client.call("acceptInvitation", token=link["token"])).ok()
    answers = await at_once(*(each.client.call("acceptInvitation", token=link["token"]) for each in guests))
    assert sorted(str(each.code) for each in answers) == ["LINK_INVALID", "None"]
    again = (await moderator.call("createInvitationLink", input={"teamId": team_id})).ok()
    for _ in range(2):
        (await guests[0].client.call("acceptInvitation", token=again["token"])).ok()
        if await _role(club, team_id, guests[0]) is not None:
            (await moderator.call("removeFromTeam", teamId=team_id, userId=guests[0].user_id)).ok()
    assert await _role(club, team_id, guests[0]) is None


async def test_who_comes_back_to_the_community_by_the_same_link_is_let_in(service: Service) -> None:
    (club, _), guest = await _club(service), await sign_in(service, "guest")
    link = (await club.client("owner").call("createInvitationLink", input={"maxUses": 5})).ok()
    for _ in range(2):
        (await guest.client.call("acceptInvitation", token=link["token"])).ok()
        (await guest.client.in_tenant(club.tenant_id).call("leaveTenant")).ok()
    (made,) = (await club.client("owner").call("invitations")).ok()["items"]
    assert made["uses"] == 1


@pytest.mark.parametrize("lost", ["team", "seat"])
async def test_an_invitation_into_a_team_rests_on_who_made_it(service: Service, lost: str) -> None:
    (club, team_id), guest = await _club(service), await sign_in(service, "guest")
    participant = club.client("participant")
    assert (await participant.call("createInvitationLink", input={"teamId": team_id})).code == "FORBIDDEN"
    token = await _invited(club, guest, teamId=team_id)
    if lost == "team":
        (await club.client("moderator").call("deleteTeam", id=team_id)).ok()
        assert (await guest.client.call("acceptInvitation", token=token)).code == "LINK_INVALID"
        return
    wanted = {"slug": "greeter", "name": "Greeter", "additions": ["member:invite"]}
    (await club.client("owner").call("createRole", input=wanted)).ok()
    (await club.client("owner").call("changeMemberRole", userId=club.id_of("moderator"), role="greeter")).ok()
    who: dict[str, Any] = {"teamId": team_id, "userId": club.id_of("participant")}
    invited = (await club.client("owner").call("inviteToTeam", **who, role="OWNER")).ok()
    (await participant.call("approveTeamRequest", id=invited["id"])).ok()
    (await participant.call("removeFromTeam", teamId=team_id, userId=club.id_of("moderator"))).ok()
    assert (await guest.client.call("acceptInvitation", token=token)).code == "INVITATION_VOID"
    assert (await guest.client.in_tenant(club.tenant_id).call("tenantMembers")).code == "TENANT_NOT_FOUND"


async def test_who_is_blocked_invites_nobody_and_stands_in_nobodys_way(service: Service) -> None:
    (club, _), guest = await _club(service), await sign_in(service, "guest")
    (await guest.client.call("blockUser", userId=club.id_of("moderator"))).ok()
    token = await _invited(club, guest)
    await drain(service.urls)
    assert await ask(service.urls, _MAILED) == []
    assert (await guest.client.call("acceptInvitation", token=token)).code == "INVITATION_VOID"
    (made,) = (await club.client("moderator").call("invitations")).ok()["items"]
    assert (made["status"], made["user"]) == ("PENDING", None)
    email = await value(service.urls, "select email from users where id = $1", guest.user_id)
    (await club.client("owner").call("inviteMember", input={"email": email})).ok()
    await drain(service.urls)
    assert len(await ask(service.urls, _MAILED)) == 1
    (await guest.client.call("acceptInvitation", token=token)).ok()


async def test_a_team_is_deleted_while_somebody_comes_into_it(service: Service) -> None:
    (club, team_id), guest = await _club(service), await sign_in(service, "guest")
    token = await _invited(club, guest, teamId=team_id)
    came, gone = await at_once(
        guest.client.call("acceptInvitation", token=token), club.client("moderator").call("deleteTeam", id=team_id)
    )
    assert gone.code is None
    assert came.code in (None, "LINK_INVALID")
    assert await ask(service.urls, "select 1 from invitations where team_id is not null") == []
