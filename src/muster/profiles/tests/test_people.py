"""Stars, follows and blocks: what they count, who learns of them, and that no tie outlives a block."""

from typing import Any

import pytest

from muster.events.tests.support import at_once
from muster.kit.commands.command import COMMANDS
from muster.kit.ids import new_id
from muster.testing.below import value
from muster.testing.client import Way
from muster.testing.people import Person, Standing, found_tenant, put_in_tenant, sign_in
from muster.testing.town import Town, make_event
from muster.testing.work import drain

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TIES = "select count(*) from ties where (from_id, to_id) in (($1, $2), ($2, $1))"
_TOLD = """
select array[(select count(*) from notifications where user_id = $1),
             (select count(*) from mails join users u on address = u.email where u.id = $1 and state <> 'DROPPED')]
"""
_TYING = ("starUser", "followUser")
_UNTYING = ("unstarUser", "unfollowUser")


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _two(town: Town, about: str) -> tuple[Person, Person]:
    return await sign_in(town.service, f"ada {about}"), await sign_in(town.service, f"bob {about}")


async def _sees(person: Person, other: Person) -> bool:
    return not (await person.client.call("profileOfUser", userId=other.user_id)).missing


async def _ids(person: Person, name: str, **arguments: Any) -> list[str]:
    page = (await person.client.call(name, **arguments)).ok()
    return [each["by"]["id"] for each in page["items"]]


@pytest.mark.parametrize("way", Way)
async def test_a_tie_is_counted_once_and_ends(town: Town, way: Way) -> None:
    ada, bob = await _two(town, f"tied {way}")
    answers = [(await ada.client.call(verb, way=way, userId=bob.user_id)).ok() for verb in _TYING * 2]
    assert {name: answers[-1][name] for name in ("starCount", "followerCount", "starredByMe", "followedByMe")} == {
        "starCount": 1,
        "followerCount": 1,
        "starredByMe": True,
        "followedByMe": True,
    }
    assert await _ids(bob, "followers", userId=bob.user_id) == [str(ada.user_id)]
    assert await _ids(bob, "stargazers", userId=bob.user_id) == [str(ada.user_id)]
    assert await _ids(bob, "following", userId=ada.user_id) == [str(ada.user_id)]
    assert await _ids(ada, "myStars") == [str(ada.user_id)]
    for _ in range(2):
        for verb in _UNTYING:
            (await ada.client.call(verb, way=way, userId=bob.user_id)).ok()
    after = (await bob.client.call("myProfile")).ok()
    assert (after["starCount"], after["followerCount"]) == (0, 0)


@pytest.mark.parametrize("verb", [*_TYING, "blockUser"])
async def test_nobody_ties_themselves_or_who_they_may_not_know_of(town: Town, verb: str) -> None:
    ada, bob = await _two(town, "apart")
    own = await ada.client.call(verb, userId=ada.user_id)
    assert (own.status, own.problem["errors"][0]["path"]) == (422, "userId")
    elsewhere = ada.client.in_tenant(await found_tenant(ada, f"apart-{verb.lower()}"))
    foreign, nobody = [await elsewhere.call(verb, userId=user_id) for user_id in (bob.user_id, new_id())]
    assert foreign.code == "PERSON_NOT_FOUND"
    assert (foreign.status, foreign.problem["detail"]) == (nobody.status, nobody.problem["detail"])


async def test_a_block_holds_both_ways_and_in_every_community(town: Town) -> None:
    ada, bob = await _two(town, "blocked")
    other_id = await found_tenant(ada, "blocked-elsewhere")
    await put_in_tenant(town.service, bob, other_id)
    for person, other in ((ada, bob), (bob, ada)):
        for verb in _TYING:
            (await person.client.call(verb, userId=other.user_id)).ok()
        (await person.client.call("updateMyProfile", input={"isPublic": True})).ok()
    made = await ada.client.call("blockUser", userId=bob.user_id)
    again = await ada.client.call("blockUser", userId=bob.user_id)
    assert (made.status, again.status) == (201, 200)
    assert made.ok() == again.ok()
    assert await value(town.service.urls, _TIES, ada.user_id, bob.user_id) == 0
    for client, other in ((ada.client, bob), (bob.client, ada), (bob.client.in_tenant(other_id), ada)):
        absent = await client.call("profileOfUser", userId=new_id())
        blocked = await client.call("profileOfUser", userId=other.user_id)
        assert (blocked.status, blocked.problem["detail"]) == (absent.status, absent.problem["detail"])
        assert [(await client.call(verb, userId=other.user_id)).code for verb in _TYING] == ["PERSON_NOT_FOUND"] * 2
        assert (await client.call("followers", userId=other.user_id)).missing
    # Whoever is blocked is told nothing of it, and may block back.
    assert (await bob.client.call("myBlocks")).ok()["items"] == []
    assert (await bob.client.call("blockUser", userId=ada.user_id)).status == 201
    listed = (await ada.client.call("myBlocks")).ok()["items"]
    assert [each["person"]["id"] for each in listed] == [str(bob.user_id)]


async def test_who_lifts_a_block_lifts_only_their_own(town: Town) -> None:
    ada, bob = await _two(town, "lifted")
    (await ada.client.call("blockUser", userId=bob.user_id)).ok()
    (await bob.client.call("unblockUser", userId=ada.user_id)).ok()
    assert not await _sees(bob, ada)
    for _ in range(2):
        (await ada.client.call("unblockUser", userId=bob.user_id)).ok()
    assert await _sees(bob, ada)
    assert await _sees(ada, bob)


async def test_no_tie_outlives_a_block_made_at_the_same_time(town: Town) -> None:
    for number in range(5):
        ada, bob = await _two(town, f"racing {number}")
        ties = (a.client.call(verb, userId=b.user_id) for a, b in ((ada, bob), (bob, ada)) for verb in _TYING)
        answers = await at_once(*ties, bob.client.call("blockUser", userId=ada.user_id))
        assert {each.code for each in answers} <= {None, "PERSON_NOT_FOUND"}
        assert await value(town.service.urls, _TIES, ada.user_id, bob.user_id) == 0


async def test_two_who_block_each_other_at_once_both_do(town: Town) -> None:
    ada, bob = await _two(town, "mutual")
    calls = [a.client.call("blockUser", userId=b.user_id) for a, b in ((ada, bob), (bob, ada)) for _ in range(3)]
    answers = await at_once(*calls)
    assert sorted(each.status for each in answers) == [200] * 4 + [201] * 2
    count = "select count(*) from blocks where user_id in ($1, $2)"
    assert await value(town.service.urls, count, ada.user_id, bob.user_id) == 2


async def test_what_two_have_in_common_both_still_read(town: Town) -> None:
    """A block hides a person, not the room of an event that both are in."""
    owner, member = town.people[Standing.OWNER], town.people[Standing.MEMBER]
    (await owner.client.call("blockUser", userId=member.user_id)).ok()
    said = (await owner.client.call("eventMessages", eventId=town.event_id)).ok()["items"]
    assert str(member.user_id) in {each["author"]["id"] for each in said}
    (await owner.client.call("unblockUser", userId=member.user_id)).ok()


async def test_connections_are_shown_to_whom_a_person_chose(town: Town) -> None:
    ada, bob = await _two(town, "connected")
    eve = await sign_in(town.service, "eve connected")
    (await ada.client.call("followUser", userId=bob.user_id)).ok()
    assert await _ids(eve, "followers", userId=bob.user_id) == [str(ada.user_id)]
    (await bob.client.call("updateMyProfile", input={"privacy": {"connections": "SELF"}})).ok()
    assert await _ids(eve, "followers", userId=bob.user_id) == []
    assert await _ids(bob, "followers", userId=bob.user_id) == [str(ada.user_id)]
    # Nobody finds by another's list whom they are blocked by.
    (await bob.client.call("updateMyProfile", input={"privacy": {"connections": "MEMBERS"}})).ok()
    (await ada.client.call("blockUser", userId=eve.user_id)).ok()
    assert await _ids(eve, "followers", userId=bob.user_id) == []


@pytest.mark.parametrize("blocks", ["who is invited", "who invites"])
async def test_who_is_blocked_invites_nobody_to_anything(town: Town, blocks: str) -> None:
    host, guest = await _two(town, f"in {blocks}")
    urls = town.service.urls
    event_id = await make_event(host.client)
    team_id = (await host.client.call("createTeam", input={"name": "Choir"})).ok()["id"]
    club = host.client.in_tenant(await found_tenant(host, f"club-of-{blocks.replace(' ', '-')}"))
    first, second = (guest, host) if blocks == "who is invited" else (host, guest)
    (await first.client.call("blockUser", userId=second.user_id)).ok()
    await drain(urls)
    told = await value(urls, _TOLD, guest.user_id)
    refused = await host.client.call("inviteToEvent", eventId=event_id, userId=guest.user_id)
    assert refused.code == "PERSON_NOT_FOUND"
    mail = await value(urls, "select email from users where id = $1", guest.user_id)
    for ask in (
        host.client.call("inviteToEvent", eventId=event_id, email=mail),
        host.client.call("inviteToTeam", teamId=team_id, userId=guest.user_id),
        club.call("inviteMember", input={"email": mail}),
    ):
        # Whoever invites does not learn of the block.
        (await ask).ok()
    await drain(urls)
    assert await value(urls, _TOLD, guest.user_id) == told
    assert (await guest.client.call("myTeamRequests")).ok()["items"] == []


async def test_a_block_does_not_reach_into_a_room_and_nothing_else_carries_a_message() -> None:
    """What is said in the room of an event is for all who are in it. Whoever builds another way asks `not_blocked` there."""
    carriers = {name for name in COMMANDS if any(word in name.lower() for word in ("message", "mention", "direct"))}
    assert carriers == {"sendEventMessage", "editEventMessage", "deleteEventMessage"}
