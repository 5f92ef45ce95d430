"""Getting in without an invitation: open doors, doors where one asks, and doors that are not to be seen."""

from muster.events.tests.support import at_once
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask, change
from muster.testing.people import sign_in
from muster.testing.serving import Service
from muster.testing.work import drain


async def _club(service: Service, policy: str, *, is_listed: bool = False) -> Club:
    club = await found_club(service, "moderator", "participant")
    wanted = {"joinPolicy": policy, "isListed": is_listed}
    (await club.client("owner").call("updateTenant", input=wanted)).ok()
    return club


async def test_an_open_door_lets_everybody_in_once(service: Service) -> None:
    club, guest = await _club(service, "OPEN"), await sign_in(service, "guest")
    answers = await at_once(*(guest.client.call("joinTenant", tenantId=club.tenant_id) for _ in range(5)))
    assert [each.ok()["outcome"] for each in answers] == ["JOINED"] * 5
    inside = guest.client.in_tenant(club.tenant_id)
    assert (await inside.call("tenantMember", userId=guest.user_id)).ok()["role"] == "participant"
    facts = await ask(service.urls, "select data ->> 'way' from facts where kind = 'member.joined'")
    assert [row[0] for row in facts] == ["OPEN"]
    (await inside.call("leaveTenant")).ok()
    assert (await guest.client.call("joinTenant", tenantId=club.tenant_id)).ok()["outcome"] == "JOINED"
    (await club.client("owner").call("removeMember", userId=guest.user_id)).ok()
    assert (await guest.client.call("joinTenant", tenantId=club.tenant_id)).code == "WAS_REMOVED"


async def test_where_one_asks_somebody_decides_and_says_so(service: Service) -> None:
    club, guest, other = (
        await _club(service, "REQUEST"),
        await sign_in(service, "guest"),
        await sign_in(service, "other"),
    )
    for person in (guest, other):
        answers = await at_once(
            *(person.client.call("joinTenant", tenantId=club.tenant_id, note="I play") for _ in range(3))
        )
        assert [each.ok()["outcome"] for each in answers] == ["REQUESTED"] * 3
    assert (await club.client("participant").call("joinRequests")).code == "FORBIDDEN"
    moderator = club.client("moderator")
    second, first = (await moderator.call("joinRequests", filter={"status": "PENDING"})).ok()["items"]
    assert (first["user"]["id"], first["note"]) == (str(guest.user_id), "I play")
    decisions = await at_once(*(moderator.call("approveJoinRequest", id=first["id"]) for _ in range(3)))
    assert sorted(str(each.code) for each in decisions) == ["JOIN_REQUEST_DECIDED"] * 2 + ["None"]
    (await moderator.call("rejectJoinRequest", id=second["id"], reason="we are full")).ok()
    assert (await guest.client.in_tenant(club.tenant_id).call("tenantMembers")).code is None
    assert (await other.client.in_tenant(club.tenant_id).call("tenantMembers")).code == "TENANT_NOT_FOUND"
    assert (await other.client.call("joinTenant", tenantId=club.tenant_id)).ok()["outcome"] == "REQUESTED"
    await drain(service.urls)
    mails = (await service.http.get("/dev/mail.json")).json()
    told = {each["subject"]: each["text"] for each in mails}
    assert "You are a member of Town chess-club" in told
    assert "we are full" in told["Town chess-club did not let you in"]


async def test_a_wish_can_be_taken_back(service: Service) -> None:
    club, guest = await _club(service, "REQUEST"), await sign_in(service, "guest")
    (await guest.client.call("joinTenant", tenantId=club.tenant_id)).ok()
    (request,) = (await club.client("owner").call("joinRequests")).ok()["items"]
    for _ in range(2):
        (await guest.client.call("cancelJoinRequest", tenantId=club.tenant_id)).ok()
    assert (await club.client("owner").call("approveJoinRequest", id=request["id"])).code == "JOIN_REQUEST_DECIDED"


async def test_a_door_that_is_shut_is_seen_by_who_may_know_of_it(service: Service) -> None:
    club, guest = await _club(service, "INVITE"), await sign_in(service, "guest")
    assert (await guest.client.call("joinTenant", tenantId=club.tenant_id)).code == "TENANT_NOT_FOUND"
    (await club.client("owner").call("updateTenant", input={"isListed": True})).ok()
    assert (await guest.client.call("joinTenant", tenantId=club.tenant_id)).code == "INVITATION_NEEDED"
    own = (await club.people["participant"].client.call("joinTenant", tenantId=club.tenant_id)).ok()
    assert own["outcome"] == "JOINED"
    await change(
        service.urls, "update tenants set status = 'ARCHIVED', join_policy = 'OPEN' where id = $1", club.tenant_id
    )
    assert (await guest.client.call("joinTenant", tenantId=club.tenant_id)).code == "TENANT_NOT_FOUND"
