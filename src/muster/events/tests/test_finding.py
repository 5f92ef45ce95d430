"""Finding among thousands: a page is the same whether it was walked to or looked up, in every order and direction."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from muster.kit.db.migrate import Urls
from muster.testing.below import change
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process
from muster.testing.town import Town, settle

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 6000
FIRST = datetime(2040, 1, 1, tzinfo=UTC)
# Number n starts n minutes after the first and was made before all that follow it. The odd hundreds are rare: a page of
# them lies beyond what is walked.
_FILL = """
with made as (
  insert into events (tenant_id, id, owner_id, title, description, starts_at, ends_at, timezone, meeting_kind, join_mode,
                      mode, min, max, visibility, status, joined_count, last_queue_number, created_at, version, updated_at,
                      levels, language, price, currency)
  select m.tenant_id, uuidv7(), m.user_id, 'Number ' || n, case n %% 700 when 699 then 'rarity' else 'usual' end,
         %(first)s + n * interval '1 minute', %(first)s + (n + 60) * interval '1 minute', 'UTC', 'ONLINE', 'OPEN', 'CUSTOM',
         1, case n %% 700 when 699 then null else 700 end, 'PUBLIC', 'PUBLISHED', n %% 701, 0,
         %(first)s + n * interval '1 second', 1, now(), case n %% 700 when 699 then '{ADVANCED}'::text[] else '{BEGINNER}' end,
         case n %% 700 when 699 then 'pl' else 'en' end, case n %% 700 when 699 then 500 else 0 end,
         case n %% 700 when 699 then 'PLN' end
    from generate_series(0, %(count)s - 1) as n, (select tenant_id, user_id from members where tenant_id = %(tenant)s limit 1) as m
  returning tenant_id, id, description
)
insert into event_tags (tenant_id, id, event_id, tag) select tenant_id, uuidv7(), id, description from made
"""
RARE: dict[str, dict[str, Any]] = {
    "text": {"text": "rarity"},
    "tag": {"tag": ["rarity"]},
    "levels": {"levels": ["INTERMEDIATE", "ADVANCED"]},
    "language": {"language": ["pl"]},
    "price": {"priceFrom": 1, "priceUpTo": 500, "currency": "PLN"},
    "several": {"tag": ["rarity"], "language": ["pl"], "mode": ["CUSTOM"], "hasPlaces": True},
}
USUAL: dict[str, dict[str, Any]] = {
    "text": {"text": "usual"},
    "tag": {"tag": ["usual", "unheard"]},
    "levels": {"levels": ["BEGINNER"]},
    "price": {"priceUpTo": 0},
    "several": {"text": "usual", "levels": ["BEGINNER"], "ownerVerified": True},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowd(module_urls: Urls) -> AsyncIterator[Town]:
    """A town with thousands of events."""
    async with serving_in_process(module_urls) as service:
        town = await settle(service)
        with psycopg.connect(module_urls.owner, options="-c muster.maintenance=on") as connection:
            connection.execute(_FILL, {"first": FIRST, "count": COUNT, "tenant": town.tenant_id})
        with psycopg.connect(module_urls.owner, autocommit=True) as connection:
            connection.execute("analyze events, event_tags")
        yield town


def _crowd(number: int) -> int:
    count = number % 701
    return count // 5 * 5 if count < 10 else count // 10 * 10


ORDERED: dict[str, Callable[[int], tuple[int, ...]]] = {
    "START": lambda number: (number,),
    "NEWEST": lambda number: (-number,),
    "MEMBERS": lambda number: (-_crowd(number), -number),
}


async def _numbers(client: Client, order: str, filters: dict[str, Any], **page: Any) -> tuple[list[int], str]:
    """The numbers of one page of the thousands, and the cursor behind it."""
    given = {"startsAfter": FIRST.isoformat(), **filters}
    answer = (await client.call("events", way=Way.GRAPHQL, filter=given, order=order, **page)).ok()
    numbers = [int(each["title"].removeprefix("Number ")) for each in answer["items"]]
    return numbers, answer["pageInfo"]["endCursor"]


@pytest.mark.parametrize("order", ORDERED)
@pytest.mark.parametrize("kind", RARE)
async def test_what_is_rare_is_found_past_what_is_walked(crowd: Town, order: str, kind: str) -> None:
    client = crowd.client(Standing.ANONYMOUS)
    expected = sorted((n for n in range(COUNT) if n % 700 == 699), key=ORDERED[order])
    assert len(expected) == 8
    first, cursor = await _numbers(client, order, RARE[kind], first=5)
    rest, _ = await _numbers(client, order, RARE[kind], first=5, after=cursor)
    assert [*first, *rest] == expected
    last, _ = await _numbers(client, order, RARE[kind], last=3)
    assert last == expected[-3:]


@pytest.mark.parametrize("order", ORDERED)
@pytest.mark.parametrize("kind", USUAL)
async def test_what_is_common_is_found_where_the_page_begins(crowd: Town, order: str, kind: str) -> None:
    client = crowd.client(Standing.ANONYMOUS)
    expected = sorted((n for n in range(COUNT) if n % 700 != 699), key=ORDERED[order])
    first, cursor = await _numbers(client, order, USUAL[kind], first=50)
    second, cursor = await _numbers(client, order, USUAL[kind], first=50, after=cursor)
    assert [*first, *second] == expected[:100]
    later = (FIRST + timedelta(minutes=5990)).isoformat()
    end, _ = await _numbers(client, order, {**USUAL[kind], "startsAfter": later}, first=50)
    assert end == [n for n in expected if n >= 5990]


async def test_full_events_are_told_from_those_with_places(crowd: Town) -> None:
    client = crowd.client(Standing.ANONYMOUS)
    # Seven hundred have a place in every 701st, which is as many as there are, but where there is no limit.
    full = [n for n in range(COUNT) if n % 701 == 700 and n % 700 != 699]
    assert (await _numbers(client, "START", {"hasPlaces": False}))[0] == full


async def test_owners_who_showed_that_their_mail_is_theirs(crowd: Town) -> None:
    client = crowd.client(Standing.ANONYMOUS)
    assert (await _numbers(client, "START", {"ownerVerified": False}))[0] == []
    assert len((await _numbers(client, "START", {"ownerVerified": True}))[0]) == 20


async def _boost(crowd: Town, urls: Urls, numbers: list[int], until: datetime) -> None:
    """Boost events until a moment, as sponsors do."""
    titles = [f"Number {number}" for number in numbers]
    with psycopg.connect(urls.owner, options="-c muster.maintenance=on") as connection:
        connection.execute(
            "update events set boosted_until = %s where tenant_id = %s and title = any (%s)",
            [until, crowd.tenant_id, titles],
        )


@pytest.mark.parametrize("kind", ["all", "usual", "rare"])
async def test_boosted_events_lead_and_a_list_stays_as_it_was_begun(crowd: Town, module_urls: Urls, kind: str) -> None:
    """Boosts that end, begin or are taken up between pages neither lose an event nor show one twice."""
    client, now, day = crowd.client(Standing.ANONYMOUS), datetime.now(UTC), timedelta(days=1)
    filters = {"all": {}, "usual": USUAL["tag"], "rare": RARE["tag"]}[kind]
    matching = [n for n in range(COUNT) if kind == "all" or (n % 700 == 699) is (kind == "rare")]
    boosted = [matching[at] for at in (7, 6, 5, 3)]
    await _boost(crowd, module_urls, boosted, now + day / 2)
    await _boost(crowd, module_urls, matching[4:5], now - day / 2)
    first, cursor = await _numbers(client, "BOOSTED", filters, first=2)
    assert first == [matching[at] for at in (3, 5)]
    # What is boosted from now on leads the lists that are begun from now on.
    await _boost(crowd, module_urls, matching[1:2], datetime.now(UTC) + day)
    second, cursor = await _numbers(client, "BOOSTED", filters, first=4, after=cursor)
    assert second == [matching[at] for at in (6, 7, 0, 1)]
    rest, _ = await _numbers(client, "BOOSTED", filters, first=4, after=cursor)
    assert rest == [matching[at] for at in (2, 4, 8, 9) if at < len(matching)]
    back, _ = await _numbers(client, "BOOSTED", filters, last=3, before=cursor)
    assert back == [matching[at] for at in (6, 7, 0)]
    anew, _ = await _numbers(client, "BOOSTED", filters, first=6)
    assert anew == [matching[at] for at in (1, 3, 5, 6, 7, 0)]
    await _boost(crowd, module_urls, matching[:10], now - day)
    assert (await _numbers(client, "BOOSTED", filters, first=3))[0] == matching[:3]


async def test_mistyped_words_are_spelled_by_titles(crowd: Town, module_urls: Urls) -> None:
    known = "insert into event_title_words (tenant_id, id, word, events) values ($1, uuidv7(), 'number', 6000)"
    await change(module_urls, known, crowd.tenant_id)
    client = crowd.client(Standing.ANONYMOUS)
    assert (await _numbers(client, "RELEVANCE", {"text": "nubmer 1234"}))[0] == [1234]
    assert (await _numbers(client, "START", {"text": "NUMMBER 1234"}))[0] == [1234]
    for strange in ("nubmer wheelbarrow", "nubmer -usual", "xylophone", "nub"):
        assert (await _numbers(client, "RELEVANCE", {"text": strange}))[0] == []


@pytest.mark.thorough
async def test_of_what_is_common_the_newest_are_ranked_and_of_what_is_rare_all(crowd: Town, module_urls: Urls) -> None:
    with psycopg.connect(module_urls.owner, options="-c muster.maintenance=on") as connection:
        later = FIRST + timedelta(days=30)
        connection.execute(_FILL, {"first": later, "count": 9_900, "tenant": crowd.tenant_id})
    client, found, page = crowd.client(Standing.ANONYMOUS), list[int](), dict[str, Any]()
    while len(part := (await _numbers(client, "RELEVANCE", {"text": "number"}, first=100, **page))) and part[0]:
        found, page = [*found, *part[0]], {"after": part[1]}
    assert len(found) == 10_000
    assert sorted(found) == sorted([*range(9_900), *range(COUNT - 100, COUNT)])
    rare, _ = await _numbers(client, "RELEVANCE", {"text": "rarity"}, first=100)
    assert sorted(rare) == sorted([*range(699, COUNT, 700), *range(699, 9_900, 700)])
