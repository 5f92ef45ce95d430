"""The public page of a person: what it shows and to whom, that nothing they wrote is markup, and how views are counted."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from muster.events.tests.support import at_once
from muster.kit.commands.system import system_transaction
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.markdown import as_html
from muster.profiles.jobs import forget_visits
from muster.testing.below import ask, change, value
from muster.testing.people import Person, Standing, sign_in
from muster.testing.town import Town
from muster.testing.work import working

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'
_COUNT = "select coalesce((select count from profile_views where id = $1), 0)"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _with_page(town: Town, username: str, **told: Any) -> Person:
    """Somebody with a public page, who is not signed in from where the tests come from."""
    person = await sign_in(town.service, f"{username} {HOSTILE}"[:80])
    shown = {"isPublic": True, "countsViews": True, **told}
    (await person.client.call("updateMyProfile", input=shown)).ok()
    (await person.client.call("setUsername", username=username)).ok()
    await change(town.service.urls, "update sessions set address = '192.0.2.7' where user_id = $1", person.user_id)
    return person


async def _open(town: Town, username: str, agent: str = BROWSER, **headers: str) -> httpx.Response:
    return await town.service.http.get(f"/u/{username}", headers={"user-agent": agent, **headers})


async def test_a_page_is_there_for_who_wants_one_and_shows_what_everybody_sees(town: Town) -> None:
    told = {
        "bioShort": "Plays chess",
        "city": "Krakow",
        "skills": ["end games"],
        "latitude": 50.0614,
        "longitude": 19.9,
    }
    person = await _with_page(town, "paged", **told, privacy={"bioShort": "EVERYONE", "skills": "EVERYONE"})
    page = await _open(town, "paged")
    assert page.status_code == 200
    assert "Plays chess" in page.text
    assert "end games" in page.text
    # The city is for members, and whoever asks, the page is what everybody sees.
    assert "Krakow" not in page.text
    assert "Krakow" not in (await _open(town, "paged", **person.client.headers())).text
    assert page.headers["x-robots-tag"] == "noindex"
    (await person.client.call("updateMyProfile", input={"isIndexed": True})).ok()
    assert "x-robots-tag" not in (await _open(town, "paged")).headers
    (await person.client.call("updateMyProfile", input={"isPublic": False})).ok()
    hidden, none = [await _open(town, name) for name in ("paged", "nobody-there")]
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert "Plays chess" not in hidden.text


async def test_a_former_name_and_other_cases_lead_to_the_page(town: Town) -> None:
    person = await _with_page(town, "page-first")
    (await person.client.call("setUsername", username="page-second")).ok()
    for asked in ("page-first", "PAGE-Second"):
        found = await _open(town, asked)
        assert (found.status_code, found.headers["location"]) == (302, "/u/page-second")


async def test_nothing_a_person_writes_is_markup(town: Town) -> None:
    told: dict[str, Any] = dict.fromkeys(("bioShort", "bioLong", "city"), HOSTILE)
    told |= {name: [HOSTILE.replace("  ", " ")[:40].strip()] for name in ("skills", "interests")}
    told |= {
        "education": [{"school": HOSTILE, "degree": HOSTILE}],
        "experience": [{"organisation": HOSTILE, "title": HOSTILE}],
        "links": ["https://github.com/ada'onmouseover=alert(1)"],
        "privacy": dict.fromkeys((*told, "education", "experience", "links"), "EVERYONE"),
    }
    await _with_page(town, "hostile", **told)
    page = await _open(town, "hostile")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "49" not in page.text
    assert page.text.count("alert(1)") >= len(told)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "[x](javascript:alert(1))",
        "[x](  JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](//evil.example)",
        "<javascript:alert(1)>",
        "![x](https://evil.example/pixel.png)",
        '[x](https://a.example "\\"onmouseover=alert(1)")',
        "[x]: javascript:alert(1)\n\n[x]",
        "# A heading",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
async def test_markdown_becomes_nothing_that_acts(text: str) -> None:
    html = as_html(text)
    for bad in ("<script", "<img", "<h1", 'href="java', 'href="data', 'href="vb', 'href="//', '"onmouseover'):
        assert bad not in html.lower(), html


async def test_markdown_is_shown_as_it_is_meant() -> None:
    assert as_html("*long* games, [here](https://a.example)") == (
        '<p><em>long</em> games, <a href="https://a.example" rel="nofollow ugc noopener noreferrer">here</a></p>\n'
    )


async def test_a_visitor_is_counted_once_a_day_and_leaves_nothing_of_themselves(town: Town) -> None:
    person = await _with_page(town, "counted")
    urls = town.service.urls
    for _ in range(3):
        await _open(town, "counted")
    await _open(town, "counted", agent=BROWSER.replace("140", "141"))
    assert await value(urls, _COUNT, person.user_id) == 2
    assert (await person.client.call("myProfile")).ok()["viewCount"] == 2
    seen = (await town.client(Standing.MEMBER).call("profileOfUser", userId=person.user_id)).ok()
    assert seen["viewCount"] is None
    kept = str(await ask(urls, "select v.* from profile_visits v"))
    assert "127.0.0.1" not in kept
    assert "Firefox" not in kept


async def test_the_same_visitor_twice_at_once_is_counted_once(town: Town) -> None:
    person = await _with_page(town, "counted-at-once")
    await at_once(*(_open(town, "counted-at-once") for _ in range(6)))  # type: ignore[arg-type]  # answers of pages
    assert await value(town.service.urls, _COUNT, person.user_id) == 1


async def test_programs_the_person_themselves_and_the_uncounted_are_not_counted(town: Town) -> None:
    person = await _with_page(town, "uncounted")
    for agent in ("Googlebot/2.1", "curl/8.5", "python-httpx/0.28", "facebookexternalhit/1.1", ""):
        await _open(town, "uncounted", agent=agent)
    await _open(town, "uncounted", **{"sec-purpose": "prefetch"})
    await town.service.http.head("/u/uncounted", headers={"user-agent": BROWSER})
    await change(town.service.urls, "update sessions set address = '127.0.0.1' where user_id = $1", person.user_id)
    await _open(town, "uncounted")
    await change(town.service.urls, "update sessions set address = '192.0.2.7' where user_id = $1", person.user_id)
    (await person.client.call("updateMyProfile", input={"countsViews": False})).ok()
    await _open(town, "uncounted")
    assert await value(town.service.urls, _COUNT, person.user_id) == 0
    assert (await person.client.call("myProfile")).ok()["viewCount"] is None


async def test_what_is_kept_of_visitors_goes_when_the_day_is_over(town: Town) -> None:
    urls = town.service.urls
    await _with_page(town, "visited")
    await _open(town, "visited")
    before = await value(urls, "select count(*) from profile_visits")
    await change(urls, "insert into profile_visits (id, at) values ($1, now() - interval '25 hours')", new_id())
    async with (
        working(urls) as work,
        system_transaction(
            work.services, tenant_id=PLATFORM_TENANT, verb="test", reason="test", now=datetime.now(UTC), request_id="t"
        ) as ctx,
    ):
        await forget_visits(ctx)
    assert await value(urls, "select count(*) from profile_visits") == before
