"""Invitations by mail: who comes by a letter, through which doors, and who does not, whatever they try."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.invites.tokens import event_invitation_token
from muster.events.tests.support import at_once, some_people, sound
from muster.identity.seals import invitation_token
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import drain

NEWCOMER = "newcomer@example.org"
PASSWORD = "a long enough one"
_MAILS = "select address from mails where kind = 'events.invited' order by created_at, address"
_STANDING = "select status from event_members where event_id = $1 and user_id = $2"
_POLICY = "update tenants set join_policy = $2 where id = $1"


async def _mail_of(service: Service, person: Person) -> str:
    found: str = await value(service.urls, "select email from users where id = $1", person.user_id)
    return found


async def _letter(service: Service, by: Client, tenant_id: UUID, event_id: UUID, email: str) -> str:
    """Invite an address; answers with the token that is mailed."""
    made = (await by.call("inviteToEvent", eventId=event_id, email=email)).ok()
    return event_invitation_token(service.settings.security.jwt_secret, tenant_id, UUID(made["id"]))


async def _scene(service: Service, policy: str, **changes: Any) -> tuple[Club, UUID]:
    """A community with a policy, and a published event of its owner's."""
    club = await found_club(service)
    await change(service.urls, _POLICY, club.tenant_id, policy)
    return club, await make_event(club.client("owner"), **{"joinMode": "INVITE_ONLY", **changes})


async def _invited(club: Club, event_id: UUID, email: str) -> str:
    return await _letter(club.service, club.client("owner"), club.tenant_id, event_id, email)


@pytest.mark.parametrize("way", Way)
async def test_who_is_nobody_yet_comes_by_the_letter(service: Service, way: Way) -> None:
    club, event_id = await _scene(service, "OPEN", visibility="HIDDEN", addressVisibility="AFTER_JOIN")
    token = await _invited(club, event_id, NEWCOMER.upper())
    anybody = Client(service)
    seen = (await anybody.call("readEventInvitation", way=way, token=token)).ok()
    told = (seen["title"], seen["place"], seen["lockReason"], seen["nextStep"])
    assert told == ("An evening of games", "Warsaw, Poland", "", "REGISTER")
    bare = await anybody.call("acceptMailedEventInvitation", way=way, token=token)
    assert bare.problem["errors"][0]["path"] == "name"
    given = {"token": token, "name": "Nell", "password": PASSWORD}
    answers = await at_once(*(anybody.call("acceptMailedEventInvitation", way=way, **given) for _ in range(3)))
    assert {each.code for each in answers} <= {None, "LINK_INVALID", "EMAIL_TAKEN"}
    (came,) = (each.data for each in answers if each.code is None)
    assert (came["outcome"], came["eventId"], came["tenant"]["id"]) == ("SEATED", str(event_id), str(club.tenant_id))
    session = (await anybody.call("login", email=NEWCOMER, password=PASSWORD)).ok()
    nell = Client(service, session["accessToken"]).in_tenant(club.tenant_id)
    assert (await nell.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    (row,) = (await club.client("owner").call("eventInvitations", eventId=event_id)).ok()["items"]
    assert (row["email"], row["status"], row["user"]["name"]) == (NEWCOMER, "ACCEPTED", "Nell")
    await sound(service, event_id)


@pytest.mark.parametrize("policy", ["OPEN", "REQUEST", "INVITE"])
async def test_a_letter_leads_past_no_door_of_the_community(service: Service, policy: str) -> None:
    club, event_id = await _scene(service, policy)
    guest = await sign_in(service, "guest")
    token = await _invited(club, event_id, await _mail_of(service, guest))
    answer = await Client(service).call("acceptMailedEventInvitation", token=token)
    there = await value(service.urls, _STANDING, event_id, guest.user_id)
    if policy == "OPEN":
        assert (answer.ok()["outcome"], there) == ("SEATED", "JOINED")
    elif policy == "REQUEST":
        assert (answer.ok()["outcome"], there) == ("ASKED", None)
        (asked,) = (await club.client("owner").call("joinRequests")).ok()["items"]
        (await club.client("owner").call("approveJoinRequest", id=asked["id"])).ok()
        again = (await Client(service).call("acceptMailedEventInvitation", token=token)).ok()
        assert again["outcome"] == "SEATED"
    else:
        assert (answer.code, there) == ("INVITATION_NEEDED", None)
        assert await value(service.urls, "select status from event_invitations") == "PENDING"


async def test_every_address_gets_the_same_answer_and_whoever_has_an_account_the_same_letter(service: Service) -> None:
    owner, stranger, inside, banned, blocking = await some_people(service, 5)
    event_id = await make_event(owner.client)
    (await inside.client.call("joinEvent", eventId=event_id)).ok()
    (await owner.client.call("banMember", eventId=event_id, userId=banned.user_id)).ok()
    (await blocking.client.call("blockUser", userId=owner.user_id)).ok()
    people = [await _mail_of(service, each) for each in (stranger, inside, banned, blocking)]
    answers = [(await owner.client.call("inviteToEvent", eventId=event_id, email=each)) for each in (*people, NEWCOMER)]
    told = ("id", "email", "sentAt", "expiresAt")
    shapes = [{name: each.ok()[name] for name in each.ok() if name not in told} for each in answers]
    assert all(shape == shapes[0] for shape in shapes)
    assert {each.status for each in answers} == {201}
    await drain(service.urls)
    assert sorted(row[0] for row in await ask(service.urls, _MAILS)) == sorted((people[0], NEWCOMER))
    mails = (await service.http.get("/dev/mail.json")).json()
    letters = [each for each in mails if each["to"] in (people[0], NEWCOMER) and "invited" in each["subject"]]
    texts = {each["text"].replace(each["links"][0], "") for each in letters}
    assert (len(letters), len(texts)) == (2, 1)


async def test_what_was_taken_back_has_expired_or_was_made_up_leads_nowhere(service: Service) -> None:
    club, event_id = await _scene(service, "OPEN")
    secret = service.settings.security.jwt_secret
    letters = [await _invited(club, event_id, f"{number}@example.org") for number in range(3)]
    rows = {
        row["email"]: row["id"]
        for row in (await club.client("owner").call("eventInvitations", eventId=event_id)).ok()["items"]
    }
    revoked, expired, good = letters
    about: dict[str, Any] = {"eventId": event_id, "id": rows["0@example.org"]}
    (await club.client("owner").call("revokeEventInvitation", **about)).ok()
    await change(service.urls, "update event_invitations set expires_at = now() where email = $1", "1@example.org")
    good_id = UUID(rows["2@example.org"])
    default_id = UUID(str(await value(service.urls, "select id from tenants where is_default")))
    tried = [
        *(revoked, expired, "not a token", good[:-1] + ("A" if good[-1] != "A" else "B")),
        # The invitation of one community under another's name, of another deployment, and a seal for something else.
        event_invitation_token(secret, default_id, good_id),
        event_invitation_token("another deployment's secret of length", club.tenant_id, good_id),
        invitation_token(secret, club.tenant_id, good_id),
    ]
    for token in tried:
        for verb in ("readEventInvitation", "acceptMailedEventInvitation", "declineMailedEventInvitation"):
            assert (await Client(service).call(verb, token=token)).code == "LINK_INVALID", (verb, token)
    (await club.client("owner").call("unpublishEvent", id=event_id)).ok()
    assert (await Client(service).call("readEventInvitation", token=good)).code == "LINK_INVALID"
    assert await value(service.urls, "select count(*) from users where email like '%@example.org'") == 0


async def test_a_forwarded_letter_brings_nobody_else_in(service: Service) -> None:
    club, event_id = await _scene(service, "OPEN")
    guest, other = await sign_in(service, "guest"), await sign_in(service, "other")
    token = await _invited(club, event_id, await _mail_of(service, guest))
    (await other.client.call("acceptMailedEventInvitation", token=token)).ok()
    assert await value(service.urls, _STANDING, event_id, other.user_id) is None
    assert await value(service.urls, _STANDING, event_id, guest.user_id) == "JOINED"
    assert (await other.client.call("declineMailedEventInvitation", token=token)).code == "LINK_INVALID"


async def test_a_letter_from_before_brings_nobody_back_and_one_from_after_does(service: Service) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client, max=5)
    tenant_id = UUID(str(await value(service.urls, "select tenant_id from events where id = $1", event_id)))
    email = await _mail_of(service, guest)
    token = await _letter(service, owner.client, tenant_id, event_id, email)
    (await guest.client.call("joinEvent", eventId=event_id)).ok()
    (await owner.client.call("kickMember", eventId=event_id, userId=guest.user_id)).ok()
    assert (await Client(service).call("acceptMailedEventInvitation", token=token)).code == "WAS_KICKED"
    await change(service.urls, "update event_invitations set sent_at = sent_at - interval '2 hours'")
    again = await _letter(service, owner.client, tenant_id, event_id, email)
    assert again == token
    assert (await Client(service).call("acceptMailedEventInvitation", token=token)).ok()["outcome"] == "SEATED"
    (await owner.client.call("banMember", eventId=event_id, userId=guest.user_id)).ok()
    await change(service.urls, "update event_invitations set status = 'PENDING', ended_at = null")
    assert (await Client(service).call("acceptMailedEventInvitation", token=token)).code == "BANNED"


async def test_of_letters_that_are_answered_and_taken_back_at_once_each_has_one_end(service: Service) -> None:
    owner, *guests = await some_people(service, 7)
    event_id = await make_event(owner.client, joinMode="INVITE_ONLY", max=4)
    tenant_id = UUID(str(await value(service.urls, "select tenant_id from events where id = $1", event_id)))
    calls = []
    for guest in guests:
        token = await _letter(service, owner.client, tenant_id, event_id, await _mail_of(service, guest))
        calls += [Client(service).call("acceptMailedEventInvitation", token=token) for _ in range(2)]
        calls.append(Client(service).call("declineMailedEventInvitation", token=token))
    rows = (await owner.client.call("eventInvitations", eventId=event_id)).ok()["items"]
    calls += [owner.client.call("revokeEventInvitation", eventId=event_id, id=row["id"]) for row in rows]
    answers = await at_once(*calls)
    assert {each.code for each in answers} <= {None, "LINK_INVALID", "EVENT_INVITATION_OVER"}
    counts = await ask(service.urls, "select status, count(*) from event_invitations group by status")
    accepted = {row[0]: row[1] for row in counts}.get("ACCEPTED", 0)
    inside = "select count(*) from event_members where event_id = $1 and status in ('JOINED', 'WAITLIST')"
    assert await value(service.urls, inside, event_id) == 1 + accepted
    assert sum(row[1] for row in counts) == len(guests)
    await sound(service, event_id)


async def test_the_page_of_a_letter_needs_no_script_and_opening_it_changes_nothing(service: Service) -> None:
    club, event_id = await _scene(service, "OPEN")
    (await club.client("owner").call("inviteToEvent", eventId=event_id, email=NEWCOMER)).ok()
    await drain(service.urls)
    mails = (await service.http.get("/dev/mail.json")).json()
    (link,) = next(each["links"] for each in mails if each["to"] == NEWCOMER)
    path = link.removeprefix(service.settings.addresses.app)
    for _ in range(2):
        shown = await service.http.get(path, headers={"accept-language": "pl"})
        assert "Przyjdź na An evening of games" in shown.text
        assert "Gdzie: Market Square 1" in shown.text
        assert "<script" not in shown.text
    assert await value(service.urls, "select status from event_invitations") == "PENDING"
    form = {"token": link.partition("token=")[2], "answer": "accept", "name": "Nell"}
    poor = await service.http.post("/event-invitation", data={**form, "password": "password123"})
    assert (poor.status_code, "first that anybody would try" in poor.text) == (422, True)
    done = await service.http.post("/event-invitation", data={**form, "password": PASSWORD})
    assert (done.status_code, "You have a place at An evening of games" in done.text) == (200, True)
    assert (await service.http.get(path)).status_code == 410


async def test_the_page_declines_and_serves_the_letters_to_people_who_are_here(service: Service) -> None:
    club, event_id = await _scene(service, "OPEN", max=1)
    token = await _invited(club, event_id, NEWCOMER)
    done = await service.http.post("/event-invitation", data={"token": token, "answer": "decline"})
    assert (done.status_code, "You have declined" in done.text) == (200, True)
    assert await value(service.urls, "select status from event_invitations") == "DECLINED"
    owner, guest = await some_people(service, 2)
    full = await make_event(owner.client, max=2, mode="CUSTOM", min=1, joinMode="INVITE_ONLY")
    (await owner.client.call("inviteToEvent", eventId=full, userId=guest.user_id)).ok()
    await change(service.urls, "update events set joined_count = 2 where id = $1", full)
    await drain(service.urls)
    mails = (await service.http.get("/dev/mail.json")).json()
    address = await _mail_of(service, guest)
    (link,) = next(each["links"] for each in mails if each["to"] == address and "invited" in each["subject"])
    came = await service.http.post("/event-invitation", data={"token": link.partition("token=")[2], "answer": "accept"})
    assert (came.status_code, "so you stand on its waitlist" in came.text) == (200, True)
    assert await value(service.urls, _STANDING, full, guest.user_id) == "WAITLIST"
    told = "select kind from notifications where user_id = $1 and kind like 'EVENT_INVITE%'"
    await drain(service.urls)
    assert [row[0] for row in await ask(service.urls, told, owner.user_id)] == ["EVENT_INVITE_ACCEPTED"]
