"""The pages of events as a browser without any script gets them."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from muster.testing.below import value
from muster.testing.people import Standing
from muster.testing.town import WARSAW_ID, Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

_STATUS = "select status from event_members where event_id = $1 and user_id = $2"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@dataclass
class Browser:
    """Somebody's browser. cookie: with which they are signed in; None is a visitor."""

    town: Town
    cookie: str | None = None
    language: str = "en"

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.town.service.http.get(path, params=query or None, headers=self._headers())

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.town.service.http.post(path, data=form, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        cookie = {} if self.cookie is None else {"cookie": self.cookie}
        return {"accept": "text/html", "accept-language": self.language, **cookie}


async def _signed_in(town: Town, standing: Standing) -> Browser:
    name = town.people[standing].name
    http = town.service.http
    answer = await http.post("/api/v1/auth/dev-login", json={"name": name}, headers={"x-session": "cookie"})
    http.cookies.clear()
    return Browser(town, answer.headers["set-cookie"].partition(";")[0])


def _csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


async def test_an_event_says_what_a_guest_wants_to_know(town: Town) -> None:
    shown = await Browser(town).get(f"/e/{town.event_id}")
    assert shown.status_code == 200
    for word in (
        "An evening in main",
        "Europe/Warsaw",
        "Market Square 1",
        "Opening game",
        "Grandmaster Ada",
        "Twenty.",
    ):
        assert word in shown.text
    assert f"/sign-in?returnTo=%2Fe%2F{town.event_id}" in unescape(shown.text)
    assert "script-src 'self'" in shown.headers["content-security-policy"]
    assert "unsafe" not in shown.headers["content-security-policy"]
    assert f"/calendar/events/{town.event_id}.ics" in shown.text
    assert "<svg" in shown.text


async def test_programs_are_told_of_public_events_alone(town: Town) -> None:
    organiser = town.client(Standing.OWNER)
    title = "Chess </script><script>alert(1)</script>"
    event_id = await make_event(organiser, title=title, addressVisibility="AFTER_JOIN")
    shown = (await Browser(town).get(f"/e/{event_id}")).text
    assert "<script>alert" not in shown
    told = re.search(r'<script type="application/ld\+json">(.*?)</script>', shown)
    assert told
    event: Any = msgspec.json.decode(told[1])
    assert (event["@type"], event["name"], event["location"]["address"]) == ("Event", title, "Warsaw, Poland")
    assert 'property="og:title"' in shown
    hidden = await (await _signed_in(town, Standing.OWNER)).get(f"/e/{town.hidden_id}")
    assert hidden.headers["x-robots-tag"] == "noindex"
    assert "ld+json" not in hidden.text
    assert "og:title" not in hidden.text


@pytest.mark.parametrize(
    ("language", "word"), [("en", "Sign in to join"), ("de", "Melde dich an"), ("pl", "Zaloguj się")]
)
async def test_pages_speak_the_readers_language(town: Town, language: str, word: str) -> None:
    shown = await Browser(town, language=language).get(f"/e/{await _open_event(town)}")
    assert word in shown.text
    assert f'<html lang="{language}">' in shown.text
    assert (await Browser(town, language=language).get("/explore")).headers["content-language"] == language


async def test_what_one_may_not_see_is_not_there(town: Town) -> None:
    pages = [await Browser(town).get(f"/e/{each}") for each in (town.hidden_id, town.draft_id, uuid4(), "nothing")]
    pages += [await Browser(town).get(f"/e/{town.hidden_id}", key="guessed")]
    assert {each.status_code for each in pages} == {404}
    assert len({re.sub(r"[0-9a-f-]{36}", "", each.text) for each in pages}) == 1


async def test_a_hidden_event_is_read_and_joined_by_its_link(town: Town) -> None:
    organiser = town.client(Standing.OWNER)
    event_id = await make_event(organiser, visibility="HIDDEN", title="A quiet evening")
    programme = {"agenda": [{"title": "A word of welcome"}], "faqs": [{"question": "Who?", "answer": "You."}]}
    (await organiser.call("updateEventProgramme", id=event_id, input=programme)).ok()
    key = (await organiser.call("shareEvent", eventId=event_id)).ok()["key"]
    shown = await Browser(town).get(f"/e/{event_id}", key=key)
    assert {word for word in ("A quiet evening", "A word of welcome", "You.") if word in shown.text} == {
        "A quiet evening",
        "A word of welcome",
        "You.",
    }
    assert shown.headers["x-robots-tag"] == "noindex"
    guest = await _signed_in(town, Standing.OUTSIDER)
    page = await guest.get(f"/e/{event_id}", key=key)
    assert (await guest.post(f"/e/{event_id}", csrf=_csrf(page), answer="join")).status_code == 404
    joined = await guest.post(f"/e/{event_id}", csrf=_csrf(page), key=key, answer="join")
    assert (joined.status_code, joined.headers["location"]) == (303, f"/e/{event_id}?key={key}")
    assert "You have a place." in (await guest.get(f"/e/{event_id}")).text


async def test_a_button_joins_and_leaves_and_only_on_our_own_page(town: Town) -> None:
    event_id, guest = await _open_event(town), await _signed_in(town, Standing.OUTSIDER)
    person = town.people[Standing.OUTSIDER].user_id
    page = await guest.get(f"/e/{event_id}")
    for csrf in ("", "forged"):
        assert (await guest.post(f"/e/{event_id}", csrf=csrf, answer="join")).status_code == 403
    assert await value(town.service.urls, _STATUS, event_id, person) is None
    for answer, status in (("join", "JOINED"), ("join", "JOINED"), ("leave", "LEFT")):
        done = await guest.post(f"/e/{event_id}", csrf=_csrf(page), answer=answer)
        assert (done.status_code, done.headers["location"]) == (303, f"/e/{event_id}")
        assert await value(town.service.urls, _STATUS, event_id, person) == status
    visitor = await Browser(town).post(f"/e/{event_id}", answer="join")
    assert visitor.headers["location"] == f"/sign-in?returnTo=%2Fe%2F{event_id}"


async def test_a_form_is_answered_on_the_page(town: Town) -> None:
    organiser, guest = town.client(Standing.OWNER), await _signed_in(town, Standing.OUTSIDER)
    event_id = await _open_event(town)
    asked = [
        {"kind": "TEXT", "label": "Your level?", "required": True},
        {"kind": "SINGLE_CHOICE", "label": "Which side?", "options": ["White", "Black"]},
        {"kind": "MULTI_CHOICE", "label": "What to eat?", "options": ["Bread", "Soup", "Cake"]},
    ]
    form = (await organiser.call("updateEventJoinForm", eventId=event_id, input={"questions": asked})).ok()
    level, side, food = (f"q.{each['id']}" for each in form["questions"])
    csrf = _csrf(await guest.get(f"/e/{event_id}"))
    refused = await guest.post(f"/e/{event_id}", csrf=csrf, answer="join")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    filled = {level: "Beginner", side: "Black", f"{food}.0": "on", f"{food}.2": "on"}
    assert (await guest.post(f"/e/{event_id}", csrf=csrf, answer="join", **filled)).status_code == 303
    own = (await town.client(Standing.OUTSIDER).call("myMembershipForEvent", eventId=event_id)).ok()
    said = [each.get("text") or each.get("choice") or each.get("choices") for each in own["answers"]]
    assert said == ["Beginner", "Black", ["Bread", "Cake"]]


async def test_a_refusal_is_told_in_words(town: Town) -> None:
    event_id, guest = await _open_event(town, joinMode="INVITE_ONLY"), await _signed_in(town, Standing.OUTSIDER)
    guest.language = "de"
    other = await guest.get(f"/e/{await _open_event(town)}")
    refused = await guest.post(f"/e/{event_id}", csrf=_csrf(other), answer="join")
    assert refused.status_code == 403
    assert "Hierher kommt man nur mit einer Einladung." in refused.text


async def test_the_list_is_searched_and_leafed_through(town: Town) -> None:
    for number in range(22):
        await make_event(town.client(Standing.OWNER), title=f"Zither {number:02}")
    first = await Browser(town).get("/explore", text="Zither")
    following = re.search(r'href="(/explore\?[^"]*after=[^"]*)"', first.text)
    assert following
    second = await Browser(town).get(unescape(following[1]))
    titles = re.findall(r"<bdi>(Zither \d+)</bdi>", first.text), re.findall(r"<bdi>(Zither \d+)</bdi>", second.text)
    assert (len(titles[0]), len(titles[1]), len({*titles[0], *titles[1]})) == (20, 2, 22)
    evenings = await Browser(town).get("/explore", category="evenings")
    assert re.findall(r'href="/e/([0-9a-f-]{36})"', evenings.text) == [str(town.event_id)]
    assert '<option value="evenings" selected>Evenings</option>' in evenings.text
    assert "Nothing is on that fits." in (await Browser(town).get("/explore", text="Theremin")).text


@pytest.mark.parametrize(
    "query",
    [
        {"after": "x"},
        {"since": "yesterday"},
        {"when": "never"},
        {"category": "?"},
        {"text": "z" * 5000},
        {"since": "9999-12-31", "when": "month"},
    ],
)
async def test_nonsense_in_the_address_shows_a_list(town: Town, query: dict[str, str]) -> None:
    assert (await Browser(town).get("/explore", **query)).status_code == 200


async def test_nobody_finds_in_the_list_what_they_may_not_see(town: Town) -> None:
    for browser in (Browser(town), await _signed_in(town, Standing.OUTSIDER)):
        shown = (await browser.get("/explore")).text
        assert str(town.event_id) in shown
        assert str(town.hidden_id) not in shown
        assert str(town.draft_id) not in shown


async def _open_event(town: Town, **changes: Any) -> UUID:
    return await make_event(town.client(Standing.OWNER), **changes)


async def test_who_runs_an_event_publishes_and_calls_it_off_on_its_page(town: Town) -> None:
    event_id = await make_event(town.client(Standing.OWNER), title="A page to run", publish=False)
    owner, path = await _signed_in(town, Standing.OWNER), f"/e/{event_id}"
    status = "select status || coalesce(': ' || cancel_reason, '') from events where id = $1"
    shown = await owner.get(path)
    assert re.findall(r'name="answer" value="(\w+)"', shown.text) == ["publish"]
    csrf = _csrf(shown)
    assert (await owner.post(path, answer="publish", csrf=csrf)).status_code == 303
    assert re.findall(r'name="answer" value="(\w+)"', (await owner.get(path)).text) == ["unpublish", "cancel"]
    member = await _signed_in(town, Standing.MEMBER)
    own = _csrf(await member.get(path))
    assert "Call off" not in (await member.get(path)).text
    refused = await member.post(path, answer="cancel", csrf=own)
    assert (refused.status_code, await value(town.service.urls, status, event_id)) == (403, "PUBLISHED")
    assert (await owner.post(path, answer="cancel", reason="Rain")).status_code == 403
    assert (await owner.post(path, answer="cancel", reason="Rain", csrf=csrf)).status_code == 303
    assert await value(town.service.urls, status, event_id) == "CANCELLED: Rain"


async def test_what_is_on_near_a_city(town: Town) -> None:
    browser = Browser(town)
    shown = (await browser.get("/explore", city="warszawa", km="25")).text
    assert "Within 25 km of Warsaw, PL." in shown
    assert "An evening in main" in shown
    assert f"nearCity[city]={WARSAW_ID}&nearCity[radiusKm]=25" in unquote(unescape(shown))
    unknown = (await browser.get("/explore", city="Atlantis", km="no number", place="'")).text
    assert "There is no city of that name here" in unknown
    tiles = re.search(r'data-tiles="([^"]*)"', shown)
    assert tiles is not None
    path = unescape(tiles[1]).replace("{z}/{x}/{y}.mvt", "0/0/0.geojson")
    assert (await browser.get(path)).json()["features"]
