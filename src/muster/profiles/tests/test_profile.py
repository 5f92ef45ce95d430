"""One's own profile: what may stand in it, who sees which part of it, and the names that lead there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster.events.tests.support import at_once
from muster.kit.text import camel
from muster.profiles import rules
from muster.profiles.tables import AUDIENCES
from muster.testing.below import change, value
from muster.testing.client import Answer, Way
from muster.testing.people import Person, Standing, sign_in
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD: dict[str, Any] = {
    "bioShort": "Plays chess",
    "bioLong": "*Long* games",
    "city": "Krakow",
    "country": "PL",
    "latitude": 50.0614,
    "longitude": 19.9372,
    "languages": ["pl", "pt-BR"],
    "interests": ["chess"],
    "links": ["https://lichess.org/@/ada", "https://gist.github.com/ada"],
    "skills": ["end games"],
    "education": [{"school": "Jagiellonian University", "degree": None, "fromYear": 2008, "toYear": 2013}],
    "experience": [{"organisation": "Chess club", "title": "Treasurer", "fromYear": 2019, "toYear": None}],
    "availability": ["SA 10:00-14:00"],
}
_PARTS = ("bioShort", "bioLong", "city", "country", "languages", "interests", "links", "skills", "education")
_SHOWN = (*_PARTS, "experience", "availability", "approximateLatitude", "approximateLongitude", "lastSeenAt")
_ALL = [camel(name) for name in AUDIENCES]


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _update(person: Person, way: Way = Way.REST, **changes: object) -> Answer:
    return await person.client.call("updateMyProfile", way=way, input=changes)


async def _seen_by(town: Town, standing: Standing, person: Person) -> dict[str, Any] | None:
    answer = await town.client(standing).call("profileOfUser", userId=person.user_id)
    return None if answer.missing else answer.ok()


async def _teller(town: Town, name: str, audience: str, *, public: bool) -> Person:
    """Somebody who tells everything there is, to one audience."""
    person = await sign_in(town.service, name)
    (await _update(person, **TOLD, isPublic=public, privacy=dict.fromkeys(_ALL, audience))).ok()
    await change(town.service.urls, "insert into sightings (id, seen_at) values ($1, now())", person.user_id)
    return person


@pytest.mark.parametrize("way", Way)
async def test_what_is_told_is_kept_and_read_by_oneself(town: Town, way: Way) -> None:
    person = await sign_in(town.service, f"teller {way}")
    before = (await person.client.call("myProfile")).ok()
    assert {name: before[name] for name in ("bioShort", "links", "education", "isPublic")} == {
        "bioShort": None,
        "links": [],
        "education": [],
        "isPublic": False,
    }
    after = (await _update(person, way, **TOLD)).ok()
    assert {name: after[name] for name in TOLD} == TOLD
    assert after["version"] == before["version"] + 1
    assert (await _update(person, way, **TOLD)).ok() == after
    stale = await _update(person, way, bioShort="x", version=before["version"])
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("audience", ["EVERYONE", "MEMBERS", "SELF"])
async def test_each_part_is_shown_to_its_audience(town: Town, audience: str, *, public: bool) -> None:
    person = await _teller(town, f"teller to {audience} {public}", audience, public=public)
    for standing in Standing:
        seen = await _seen_by(town, standing, person)
        together = standing not in (Standing.ANONYMOUS, Standing.OTHER_TENANT, Standing.SUSPENDED)
        if seen is None:
            assert (together, public) == (False, False), standing
            continue
        assert together or public, standing
        shown = audience == "EVERYONE" or (audience == "MEMBERS" and together)
        assert {name for name in _SHOWN if seen[name] is not None} == (set(_SHOWN) if shown else set()), standing
        # The point itself, and what the person has chosen, are nobody else's.
        assert {seen[name] for name in ("latitude", "longitude", "countsViews", "keepsLastSeen", "privacy")} == {None}
        if shown:
            assert (seen["approximateLatitude"], seen["approximateLongitude"]) == (50.1, 19.9)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"bioShort": "x" * 201}, "bioShort"),
        ({"country": "XX"}, "country"),
        ({"country": "pl"}, "country"),
        ({"latitude": 50.0, "longitude": None}, "longitude"),
        ({"languages": ["Polish"]}, "languages[0]"),
        ({"skills": ["a"] * 101}, "skills"),
        ({"interests": [" padded"]}, "interests[0]"),
        ({"availability": ["SAT 10-12"]}, "availability[0]"),
        ({"education": [{"degree": "MA"}]}, "education[0].school"),
        ({"experience": [{"organisation": "Club", "salary": 1}]}, "experience[0].salary"),
        ({"privacy": {"city": "FRIENDS"}}, "privacy.city"),
        ({"privacy": {"email": "EVERYONE"}}, "privacy.email"),
        ({"links": ["https://lichess.org/a", "http://github.com/ada"]}, "links[1]"),
        ({"links": ["https://github.com.evil.example/ada"]}, "links[0]"),
        ({"links": ["https://evil.example/github.com"]}, "links[0]"),
        ({"links": ["https://github.com@evil.example/"]}, "links[0]"),
        ({"links": ["https://github.com:8443/ada"]}, "links[0]"),
        ({"links": ["https://github.com/<script>"]}, "links[0]"),
        ({"links": ["https://g\u0131thub.com/ada"]}, "links[0]"),
        ({"links": ["https://[::1/"]}, "links[0]"),
        ({"links": ["javascript:alert(1)"]}, "links[0]"),
        ({"email": "ada@example.org"}, "email"),
    ],
)
async def test_what_breaks_a_rule_is_named_and_changes_nothing(town: Town, changes: dict[str, Any], path: str) -> None:
    member = town.people[Standing.MEMBER]
    before = (await member.client.call("myProfile")).ok()
    answer = await _update(member, **changes)
    assert answer.status in (400, 422), answer
    assert [each["path"] for each in answer.problem["errors"]] == [path]
    assert (await member.client.call("myProfile")).ok() == before


async def _name(person: Person, name: str) -> Answer:
    return await person.client.call("setUsername", username=name)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "x" * 31,
        "-ada",
        "ada-",
        "a--b",
        "a.b",
        "ada lovelace",
        "\u0430da",
        "ada\u200b",
        "\uff21\uff24\uff21",
        "admin",
        "Support",
        "me",
    ],
)
async def test_a_name_that_is_none_is_refused(town: Town, name: str) -> None:
    answer = await _name(town.people[Standing.MEMBER], name)
    assert (answer.status, answer.problem["errors"][0]["path"]) == (422, "username")


async def test_a_name_leads_to_its_person_in_any_case_and_is_nobody_else_s(town: Town) -> None:
    ada, bob = [await sign_in(town.service, name) for name in ("namer ada", "namer bob")]
    assert (await _name(ada, "Ada-L")).ok()["username"] == "ada-l"
    assert (await _name(ada, "ADA-l")).ok()["username"] == "ada-l"
    taken = await _name(bob, "aDa-L")
    assert (taken.status, taken.code) == (409, "USERNAME_TAKEN")
    found = (await bob.client.call("profile", username="ADA-L")).ok()
    assert found["id"] == str(ada.user_id)
    # Who may not know of her, is not told by her name either.
    stranger = town.client(Standing.OTHER_TENANT)
    known, unknown = [await stranger.call("profile", username=name) for name in ("ada-l", "nobody-has-this")]
    assert known.missing
    assert (known.status, known.code) == (unknown.status, unknown.code)


async def test_a_former_name_leads_on_for_ninety_days_and_is_kept_free(town: Town) -> None:
    ada, bob = [await sign_in(town.service, name) for name in ("renamer ada", "renamer bob")]
    for name in ("first-name", "second-name"):
        (await _name(ada, name)).ok()
    assert (await bob.client.call("profile", username="first-name")).ok()["username"] == "second-name"
    assert (await _name(bob, "first-name")).code == "USERNAME_TAKEN"
    for age, found in ((rules.REDIRECT - timedelta(hours=1), True), (rules.REDIRECT + timedelta(hours=1), False)):
        await change(
            town.service.urls,
            "update usernames set given_up_at = $1 where name = 'first-name'",
            datetime.now(UTC) - age,
        )
        answer = await bob.client.call("profile", username="first-name")
        assert answer.missing is not found
    assert (await _name(bob, "first-name")).ok()["username"] == "first-name"
    assert (await _name(ada, "first-name")).code == "USERNAME_TAKEN"


async def test_nobody_holds_many_names(town: Town) -> None:
    ada = await sign_in(town.service, "hoarder ada")
    for number in range(rules.NAMES_HELD + 1):
        (await _name(ada, f"hoarded-{number}")).ok()
    refused = await _name(ada, "hoarded-more")
    assert (refused.status, refused.code) == (409, "USERNAME_CHANGED_OFTEN")
    assert (await _name(ada, "hoarded-0")).ok()["username"] == "hoarded-0"


async def test_of_many_who_want_a_name_at_once_one_has_it(town: Town) -> None:
    crowd = [await sign_in(town.service, f"racer {number}") for number in range(6)]
    answers = await at_once(*(_name(each, "the-one-name") for each in crowd))
    assert sorted(each.status for each in answers) == [200, *[409] * 5]
    assert await value(town.service.urls, "select count(*) from usernames where name = 'the-one-name'") == 1


async def test_two_who_swap_names_at_once_meet_no_fault(town: Town) -> None:
    ada, bob = [await sign_in(town.service, f"swapper {name}") for name in ("ada", "bob")]
    (await _name(ada, "swap-a")).ok()
    (await _name(bob, "swap-b")).ok()
    answers = await at_once(_name(ada, "swap-b"), _name(bob, "swap-a"))
    assert [each.code for each in answers] == ["USERNAME_TAKEN"] * 2
    assert (await ada.client.call("myProfile")).ok()["username"] == "swap-a"


async def test_changes_at_once_take_turns(town: Town) -> None:
    ada = await sign_in(town.service, "hasty ada")
    changes: list[dict[str, Any]] = [
        {"bioShort": "Hello"},
        {"city": "Lviv"},
        {"skills": ["chess"]},
        {"privacy": {"city": "EVERYONE"}},
    ]
    await at_once(*(_update(ada, **each) for each in changes))
    found = (await ada.client.call("myProfile")).ok()
    assert (found["bioShort"], found["city"], found["skills"]) == ("Hello", "Lviv", ["chess"])
    assert (found["privacy"]["city"], found["version"]) == ("EVERYONE", 5)


async def test_who_wants_no_last_seen_has_none(town: Town) -> None:
    person = await _teller(town, "seen person", "EVERYONE", public=True)
    assert (await person.client.call("myProfile")).ok()["lastSeenAt"] is not None
    assert (await _update(person, keepsLastSeen=False)).ok()["lastSeenAt"] is None
    assert await value(town.service.urls, "select count(*) from sightings where id = $1", person.user_id) == 0


async def test_whoever_closes_their_account_is_gone_for_others(town: Town) -> None:
    person = await _teller(town, "leaving person", "EVERYONE", public=True)
    close = "update users set closed_at = now() where id = $1"
    await change(town.service.urls, close, person.user_id)
    assert [await _seen_by(town, each, person) for each in (Standing.ANONYMOUS, Standing.MEMBER)] == [None, None]
