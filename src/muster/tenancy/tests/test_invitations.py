"""Invitations: whom they are for, how often they count, and on whose rights they rest."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once
from muster.identity.seals import invitation_token
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.people import Person, give_role, sign_in
from muster.testing.serving import Service
from muster.testing.work import drain

NEWCOMER = "newcomer@example.org"
PASSWORD = "a long enough one"
_MAILS = "select address, user_id from mails where kind = $1 order by created_at"


async def _mail_of(service: Service, person: Person) -> str:
    found: str = await value(service.urls, "select email from users where id = $1", person.user_id)
    return found


async def _invited(club: Club, email: str, *, by: str = "owner", **more: Any) -> str:
    """Invite an address; answers with the token that is mailed."""
    made = (await club.client(by).call("inviteMember", input={"email": email, **more})).ok()
    return invitation_token(club.service.settings.security.jwt_secret, club.tenant_id, UUID(made["id"]))


async def _is_member(club: Club, person: Person) -> bool:
    return (await person.client.in_tenant(club.tenant_id).call("tenantMembers")).code is None


async def test_who_is_invited_comes_in_with_the_role_that_was_meant(service: Service) -> None:
    club, guest = await found_club(service), await sign_in(service, "guest")
    token = await _invited(club, (await _mail_of(service, guest)).upper(), role="moderator")
    seen = (await Client(service).call("readInvitation", token=token)).ok()
    assert (seen["way"], seen["role"], seen["nextStep"]) == ("MAIL", "moderator", "JOIN")
    assert seen["tenant"] == {"id": str(club.tenant_id), "slug": "chess-club", "name": "Town chess-club"}
    joined = (await guest.client.call("acceptInvitation", token=token)).ok()
    assert (joined["slug"], joined["ownRole"]) == ("chess-club", "moderator")
    again = await guest.client.call("acceptInvitation", token=token)
    assert (again.status, again.code) == (410, "LINK_INVALID")
    (row,) = (await club.client("owner").call("invitations")).ok()["items"]
    assert (row["status"], row["uses"], row["user"]["id"]) == ("ACCEPTED", 1, str(guest.user_id))


async def test_an_invitation_is_for_its_address_alone(service: Service) -> None:
    club, guest, other = await found_club(service), await sign_in(service, "guest"), await sign_in(service, "other")
    token = await _invited(club, await _mail_of(service, guest))
    assert (await other.client.call("acceptInvitation", token=token)).code == "INVITATION_FOR_ANOTHER"
    assert not await _is_member(club, other)
    (await guest.client.call("acceptInvitation", token=token)).ok()
    assert await _is_member(club, guest)


async def test_who_has_no_account_opens_one_and_is_in(service: Service) -> None:
    club = await found_club(service)
    token = await _invited(club, NEWCOMER)
    assert (await Client(service).call("readInvitation", token=token)).ok()["nextStep"] == "REGISTER"
    bare = await Client(service).call("acceptMailedInvitation", token=token)
    assert bare.problem["errors"][0]["path"] == "name"
    given = {"token": token, "name": "Nell", "password": PASSWORD}
    poor = await Client(service).call("acceptMailedInvitation", **{**given, "password": NEWCOMER})  # type: ignore[arg-type]  # all are strings
    assert poor.code == "VALIDATION_ERROR"
    answers = await at_once(*(Client(service).call("acceptMailedInvitation", **given) for _ in range(3)))  # type: ignore[arg-type]  # the same
    assert sorted(str(each.code) for each in answers) == ["LINK_INVALID", "LINK_INVALID", "None"]
    session = (await Client(service).call("login", email=NEWCOMER, password=PASSWORD)).ok()
    nell = Client(service, session["accessToken"])
    assert [each["slug"] for each in (await nell.call("myTenants")).ok()["items"]] == ["main", "chess-club"]


async def test_an_account_that_somebody_else_opened_with_the_address_falls_to_its_owner(service: Service) -> None:
    club = await found_club(service)
    (await Client(service).call("register", input={"name": "Eve", "email": NEWCOMER, "password": PASSWORD})).ok()
    eve = (await Client(service).call("login", email=NEWCOMER, password=PASSWORD)).ok()
    token = await _invited(club, NEWCOMER)
    assert (await Client(service).call("readInvitation", token=token)).ok()["nextStep"] == "SET_PASSWORD"
    assert (await Client(service).call("acceptMailedInvitation", token=token)).code == "VALIDATION_ERROR"
    (await Client(service).call("acceptMailedInvitation", token=token, password="mine and nobody else's")).ok()
    assert (await Client(service, eve["accessToken"]).call("me")).code == "UNAUTHENTICATED"
    assert (await Client(service).call("login", email=NEWCOMER, password=PASSWORD)).code == "WRONG_CREDENTIALS"


async def test_inviting_answers_the_same_whoever_has_the_address(service: Service) -> None:
    club, guest = await found_club(service, "participant"), await sign_in(service, "guest")
    member, stranger = await _mail_of(service, club.people["participant"]), await _mail_of(service, guest)
    answers = [
        (await club.client("owner").call("inviteMember", input={"email": each})).ok()
        for each in (member, stranger, NEWCOMER)
    ]
    shapes = [
        {name: each[name] for name in each if name not in ("id", "email", "createdAt", "expiresAt")} for each in answers
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    await drain(service.urls)
    mailed = await ask(service.urls, _MAILS, "tenancy.invitation")
    # A member is not mailed; who invited does not learn that.
    assert [row[0] for row in mailed] == [stranger, NEWCOMER]


async def test_an_address_has_one_open_invitation_and_three_letters_an_hour(service: Service) -> None:
    club = await found_club(service, "admin")
    by = [club.client("owner"), club.client("admin")] * 3
    answers = await at_once(*(each.call("inviteMember", input={"email": NEWCOMER}) for each in by))
    (invitation_id,) = {answer.ok()["id"] for answer in answers}
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    for _ in range(2):
        (await by[0].call("resendInvitation", id=invitation_id)).ok()
    assert (await by[0].call("resendInvitation", id=invitation_id)).code == "TOO_MANY_LETTERS"
    renewed = await by[0].call("inviteMember", input={"email": NEWCOMER, "role": "moderator"})
    assert renewed.code == "TOO_MANY_LETTERS"
    await drain(service.urls)
    assert len(await ask(service.urls, _MAILS, "tenancy.invitation")) == 3
    await change(service.urls, "update invitations set letters_since = now() - interval '1 hour'")
    (await by[0].call("resendInvitation", id=invitation_id)).ok()


@pytest.mark.parametrize("ending", ["declined", "revoked", "expired", "tampered", "foreign"])
async def test_what_was_declined_taken_back_or_made_up_lets_nobody_in(service: Service, ending: str) -> None:
    club, guest = await found_club(service), await sign_in(service, "guest")
    token = await _invited(club, await _mail_of(service, guest))
    if ending == "declined":
        (await Client(service).call("declineInvitation", token=token)).ok()
    elif ending == "revoked":
        row_id = (await club.client("owner").call("invitations")).ok()["items"][0]["id"]
        (await club.client("owner").call("revokeInvitation", id=row_id)).ok()
        assert (await club.client("owner").call("resendInvitation", id=row_id)).code == "INVITATION_OVER"
    elif ending == "expired":
        await change(service.urls, "update invitations set expires_at = now()")
    elif ending == "tampered":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    else:
        # The seal of another deployment, over the same invitation.
        invitation_id = UUID(hex=token.split(".")[1])
        token = invitation_token("another deployment's secret of length", club.tenant_id, invitation_id)
    for verb in ("acceptInvitation", "readInvitation", "acceptMailedInvitation", "declineInvitation"):
        assert (await guest.client.call(verb, token=token)).code == "LINK_INVALID"
    assert not await _is_member(club, guest)


async def test_an_invitation_gives_no_more_than_who_made_it_holds_when_it_is_accepted(service: Service) -> None:
    club, guest = await found_club(service, "admin"), await sign_in(service, "guest")
    too_much = await club.client("admin").call("inviteMember", input={"email": NEWCOMER, "role": "owner"})
    assert too_much.code == "VALIDATION_ERROR"
    token = await _invited(club, await _mail_of(service, guest), by="admin", role="admin")
    link = (await club.client("admin").call("createInvitationLink", input={"role": "participant"})).ok()
    await give_role(service, club.people["admin"], club.tenant_id, "moderator")
    assert (await guest.client.call("acceptInvitation", token=token)).code == "INVITATION_VOID"
    # A moderator still invites participants; a spectator nobody.
    await give_role(service, club.people["admin"], club.tenant_id, "spectator")
    assert (await guest.client.call("acceptInvitation", token=link["token"])).code == "INVITATION_VOID"
    assert (await club.client("admin").call("inviteMember", input={"email": NEWCOMER})).code == "FORBIDDEN"
    assert not await _is_member(club, guest)


async def test_thirty_with_one_link_get_the_three_seats_there_are(service: Service) -> None:
    club = await found_club(service, "participant")
    people = [await sign_in(service, f"person {number}") for number in range(30)]
    link = (await club.client("owner").call("createInvitationLink", input={})).ok()
    await change(service.urls, "update tenants set max_members = 5 where id = $1", club.tenant_id)
    answers = await at_once(*(each.client.call("acceptInvitation", token=link["token"]) for each in people))
    assert sorted(str(each.code) for each in answers) == ["None"] * 3 + ["SEATS_TAKEN"] * 27
    seated = "select count(*) from members where tenant_id = $1 and status = 'ACTIVE'"
    assert await value(service.urls, seated, club.tenant_id) == 5
    used = (await club.client("owner").call("invitationUses", invitationId=link["invitation"]["id"])).ok()["items"]
    assert len(used) == 3
    # Who leaves makes room for one.
    (await club.client("participant").call("leaveTenant")).ok()
    late = await asyncio.gather(*(each.client.call("acceptInvitation", token=link["token"]) for each in people))
    assert sum(each.code is None for each in late) == 4


async def test_by_all_doors_at_once_no_more_come_in_than_there_are_seats(service: Service) -> None:
    club = await found_club(service)
    owner, people = club.client("owner"), [await sign_in(service, f"person {number}") for number in range(12)]
    asking, by_mail, by_link, walking = (people[at : at + 3] for at in range(0, 12, 3))
    await change(service.urls, "update tenants set join_policy = 'REQUEST' where id = $1", club.tenant_id)
    for each in asking:
        (await each.client.call("joinTenant", tenantId=club.tenant_id)).ok()
    requests = (await owner.call("joinRequests")).ok()["items"]
    tokens = [await _invited(club, await _mail_of(service, each)) for each in by_mail]
    link = (await owner.call("createInvitationLink", input={})).ok()["token"]
    open_for_five = "update tenants set join_policy = 'OPEN', max_members = 5 where id = $1"
    await change(service.urls, open_for_five, club.tenant_id)
    answers = await at_once(
        *(owner.call("approveJoinRequest", id=each["id"]) for each in requests),
        *(each.client.call("acceptInvitation", token=token) for each, token in zip(by_mail, tokens, strict=True)),
        *(each.client.call("acceptInvitation", token=link) for each in by_link),
        *(each.client.call("joinTenant", tenantId=club.tenant_id) for each in walking),
    )
    assert sorted(str(each.code) for each in answers) == ["None"] * 4 + ["SEATS_TAKEN"] * 8
    seated = "select count(*) from members where tenant_id = $1 and status = 'ACTIVE'"
    assert await value(service.urls, seated, club.tenant_id) == 5


async def test_a_link_is_used_so_often_and_no_more(service: Service) -> None:
    club = await found_club(service)
    people = [await sign_in(service, f"person {number}") for number in range(6)]
    link = (await club.client("owner").call("createInvitationLink", input={"maxUses": 2})).ok()
    assert link["url"].endswith(f"/invitation?token={link['token']}")
    answers = await at_once(*(each.client.call("acceptInvitation", token=link["token"]) for each in people))
    assert sorted(str(each.code) for each in answers) == ["LINK_INVALID"] * 4 + ["None"] * 2
    assert (await Client(service).call("declineInvitation", token=link["token"])).code == "LINK_INVALID"


async def test_no_link_brings_back_who_was_removed_or_suspended(service: Service) -> None:
    club = await found_club(service, "participant", "spectator")
    link = (await club.client("owner").call("createInvitationLink", input={})).ok()
    removed, suspended = club.people["participant"], club.people["spectator"]
    before = await _invited(club, await _mail_of(service, removed))
    (await club.client("owner").call("removeMember", userId=removed.user_id)).ok()
    (await club.client("owner").call("suspendMember", userId=suspended.user_id)).ok()
    assert (await removed.client.call("acceptInvitation", token=link["token"])).code == "WAS_REMOVED"
    assert (await suspended.client.call("acceptInvitation", token=link["token"])).code == "MEMBER_SUSPENDED"
    assert (await removed.client.call("acceptInvitation", token=before)).code == "LINK_INVALID"
    # Inviting them anew is a decision about them.
    token = await _invited(club, await _mail_of(service, removed))
    (await removed.client.call("acceptInvitation", token=token)).ok()
    assert await _is_member(club, removed)


async def test_the_page_of_a_letter_lets_people_in_without_a_script(service: Service) -> None:
    club = await found_club(service)
    (await club.client("owner").call("inviteMember", input={"email": NEWCOMER})).ok()
    await drain(service.urls)
    mails = (await service.http.get("/dev/mail.json")).json()
    (link,) = next(each["links"] for each in mails if each["to"] == NEWCOMER)
    path = link.removeprefix(service.settings.addresses.app)
    shown = await service.http.get(path, headers={"accept-language": "pl"})
    assert "Dołącz do Town chess-club" in shown.text
    assert "<script" not in shown.text
    form = {"token": link.partition("token=")[2], "answer": "accept", "name": "Nell"}
    poor = await service.http.post("/invitation", data={**form, "password": "password123"})
    assert (poor.status_code, "first that anybody would try" in poor.text) == (422, True)
    done = await service.http.post("/invitation", data={**form, "password": PASSWORD})
    assert (done.status_code, "Welcome! You are a member of Town chess-club" in done.text) == (200, True)
    assert (await service.http.get(path)).status_code == 410


async def test_the_page_declines_for_who_does_not_want_to_come(service: Service) -> None:
    club = await found_club(service)
    token = await _invited(club, NEWCOMER)
    done = await service.http.post("/invitation", data={"token": token, "answer": "decline"})
    assert (done.status_code, "You have declined" in done.text) == (200, True)
    assert await value(service.urls, "select status from invitations") == "DECLINED"
    assert await value(service.urls, "select count(*) from users where email = $1", NEWCOMER) == 0
    link = (await club.client("owner").call("createInvitationLink", input={})).ok()
    shown = await service.http.get("/invitation", params={"token": link["token"]})
    assert "Sign in" in shown.text
    assert "<form" not in shown.text
