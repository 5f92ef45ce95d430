"""Importing into a real database: again without doubles, two at once, and what people made of it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from muster.access.gate import GATE
from muster.events.cities.loading import Place, put_cities
from muster.events.importing.batches import Import, Outcome, Result
from muster.events.importing.formats import read_rows
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.testing.below import ask, value
from muster.testing.client import Client
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service, settings_for
from muster.testing.work import drain

DOUBLES = "select count(*) - count(distinct source_id) from events where source is not null"
"""The unique constraint says so too; the count is of all tenants of a test, which is one."""
WHOLE = """
select count(*) from events e
 where source is not null
   and exists (select from rooms r where r.tenant_id = e.tenant_id and r.id = e.id)
   and exists (select from room_seats s where s.tenant_id = e.tenant_id and s.room_id = e.id and s.user_id = e.owner_id)
   and exists (select from event_members m where m.tenant_id = e.tenant_id and m.event_id = e.id
                  and m.user_id = e.owner_id and m.role = 'OWNER' and m.status = 'JOINED')
   and exists (select from event_tags t where t.tenant_id = e.tenant_id and t.event_id = e.id)
   and exists (select from facts f where f.tenant_id = e.tenant_id and f.aggregate_id = e.id and f.kind = 'event.imported')
"""
"""Imported events that have all that belongs to one."""


def row(number: int, **changes: object) -> dict[str, Any]:
    """A row that is fine as it is."""
    place = {"city": f"Town {number % 7}", "country": "Poland", "latitude": 50.1, "longitude": 20.1}
    days = {"start_date": f"20{30 + number % 5}-05-01", "timezone": "Europe/Warsaw"}
    return {"name": f"Meeting {number}", "topics": ["general"], **place, **days, **changes}


def write(folder: Path, rows: list[dict[str, Any]], *, name: str = "rows.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    return file


@asynccontextmanager
async def importing(urls: Urls, owner: Person, **options: Any) -> AsyncIterator[Import]:
    """An import by the API's role into the default community."""
    tenant_id: Any = await value(urls, "select id from tenants where is_default")
    database = await Database.open(urls.app, size=2)
    services = Services(database, settings_for(urls), GATE, wake=lambda: None)
    transaction = partial(
        system_transaction,
        services,
        tenant_id=UUID(int=tenant_id.int),
        verb="import events",
        reason="a test",
        now=datetime.now(UTC),
        request_id="test",
    )
    try:
        yield Import(transaction, owner.user_id, "test", **options)
    finally:
        await database.close()


async def bring_in(urls: Urls, owner: Person, file: Path, *, size: int = 500, **options: Any) -> list[Result]:
    async with importing(urls, owner, **options) as run:
        return [each async for batch in run.run(read_rows(file), size=size) for each in batch]


def counts(results: list[Result]) -> dict[str, int]:
    return dict(Counter(str(each.outcome) for each in results))


@pytest.fixture
async def ada(service: Service) -> Person:
    """Who owns what is imported."""
    return await sign_in(service, "Ada")


async def test_rows_become_whole_events_once(service: Service, ada: Person, tmp_path: Path) -> None:
    file = write(tmp_path, [row(number) for number in range(25)])
    assert counts(await bring_in(service.urls, ada, file, size=10)) == {"created": 25}
    assert await value(service.urls, WHOLE) == 25
    assert counts(await bring_in(service.urls, ada, file)) == {"unchanged": 25}
    assert await value(service.urls, "select count(*) from events") == 25
    listed = (await ada.client.call("events", filter={"city": "town 3"})).ok()
    assert sorted(each["title"] for each in listed["items"]) == ["Meeting 10", "Meeting 17", "Meeting 24", "Meeting 3"]


async def test_an_imported_event_is_like_any_other(service: Service, ada: Person, tmp_path: Path) -> None:
    [made] = await bring_in(service.urls, ada, write(tmp_path, [row(1)]))
    bob = await sign_in(service, "Bob")
    assert (await bob.client.call("joinEvent", eventId=made.event_id)).ok()["status"] == "JOINED"
    (await bob.client.call("sendEventMessage", eventId=made.event_id, content="Hello")).ok()
    shown = (await Client(service).call("event", id=made.event_id)).ok()
    assert (shown["owner"]["name"], shown["joinedCount"], shown["status"]) == ("Ada", 2, "PUBLISHED")


async def test_only_changed_rows_change_and_edits_here_stay(service: Service, ada: Person, tmp_path: Path) -> None:
    first = await bring_in(service.urls, ada, write(tmp_path, [row(1), row(2), row(3)]))
    edited = first[1].event_id
    # As an organiser who found a better place.
    await ask(service.urls, "update events set address = 'The old mill' where id = $1 returning 1", edited)
    changed = [row(1, topics=["chess", "go"], url="https://chess.example"), row(2), row(3)]
    again = await bring_in(service.urls, ada, write(tmp_path, changed))
    assert [each.outcome for each in again] == [Outcome.UPDATED, Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert [each.event_id for each in again] == [each.event_id for each in first]
    assert await value(service.urls, "select address from events where id = $1", edited) == "The old mill"
    tags = "select tag from event_tags where event_id = $1 order by tag"
    assert await ask(service.urls, tags, first[0].event_id) == [("chess",), ("go",)]
    assert await ask(service.urls, "select url, version from events where id = $1", first[0].event_id) == [
        ("https://chess.example", 2)
    ]


async def test_what_was_cancelled_here_stays_cancelled(service: Service, ada: Person, tmp_path: Path) -> None:
    [made] = await bring_in(service.urls, ada, write(tmp_path, [row(1)]))
    cancel = "update events set status = 'CANCELLED', cancelled_at = now() where id = $1 returning 1"
    await ask(service.urls, cancel, made.event_id)
    [again] = await bring_in(service.urls, ada, write(tmp_path, [row(1, url="https://moved.example")]))
    assert (again.outcome, again.notes) == (Outcome.UNCHANGED, ("it was cancelled here, and stays as it is",))
    assert await value(service.urls, "select url from events where id = $1", made.event_id) is None


async def test_bad_rows_and_doubles_cost_nobody_else(service: Service, ada: Person, tmp_path: Path) -> None:
    file = write(tmp_path, [row(1), row(2, start_date="never"), row(3), row(1), row(4)])
    results = await bring_in(service.urls, ada, file)
    assert counts(results) == {"created": 3, "refused": 2}
    assert [each.problems[0].message for each in results if each.problems] == [
        "must be a day in ISO 8601, such as 2031-05-01",
        "is the same event as line 1",
    ]
    assert await value(service.urls, WHOLE) == 3


async def test_what_only_the_database_refuses_costs_nobody_else(service: Service, ada: Person, tmp_path: Path) -> None:
    """A rule that the code forgets, here made on purpose, still costs one row only."""
    rule = "alter table events add constraint no_thirteen check (title <> 'Meeting 13')"
    await ask(service.urls, rule)
    results = await bring_in(service.urls, ada, write(tmp_path, [row(number) for number in range(20)]))
    assert counts(results) == {"created": 19, "refused": 1}
    assert "no_thirteen" in results[13].problems[0].message
    assert await value(service.urls, WHOLE) == 19


async def test_a_dry_run_changes_nothing(service: Service, ada: Person, tmp_path: Path) -> None:
    await bring_in(service.urls, ada, write(tmp_path, [row(1)]))
    file = write(tmp_path, [row(1, url="https://new.example"), row(2), row(3, name="")])
    results = await bring_in(service.urls, ada, file, dry_run=True)
    assert counts(results) == {"updated": 1, "created": 1, "refused": 1}
    assert await ask(service.urls, "select title, url from events") == [("Meeting 1", None)]


async def test_two_imports_at_once_make_no_doubles(service: Service, ada: Person, tmp_path: Path) -> None:
    file = write(tmp_path, [row(number) for number in range(200)])
    both = await asyncio.gather(*(bring_in(service.urls, ada, file, size=20) for _ in range(2)))
    assert sum(each.outcome == Outcome.CREATED for results in both for each in results) == 200
    assert {each.outcome for results in both for each in results} == {Outcome.CREATED, Outcome.UNCHANGED}
    assert (await value(service.urls, WHOLE), await value(service.urls, DOUBLES)) == (200, 0)


async def test_who_has_a_place_is_told_when_the_row_moves(service: Service, ada: Person, tmp_path: Path) -> None:
    rows = [row(1, url="https://one.example"), row(2)]
    first, second = await bring_in(service.urls, ada, write(tmp_path, rows))
    bob = await sign_in(service, "Bob")
    for each in (first, second):
        (await bob.client.call("joinEvent", eventId=each.event_id)).ok()
    changed = [row(1, url="https://other.example"), row(2, end_date="2032-05-02")]
    await bring_in(service.urls, ada, write(tmp_path, changed))
    await drain(service.urls)
    told = (await bob.client.call("myNotifications")).ok()["items"]
    assert [(each["kind"], each["data"]["changed"]) for each in told] == [("EVENT_UPDATED", ["endsAt"])]
    assert not [
        each for each in (await ada.client.call("myNotifications")).ok()["items"] if each["kind"] == "EVENT_UPDATED"
    ]


async def test_nobody_is_told_of_thousands(service: Service, ada: Person, tmp_path: Path) -> None:
    await bring_in(service.urls, ada, write(tmp_path, [row(number) for number in range(50)]))
    await drain(service.urls)
    assert await value(service.urls, "select count(*) from notifications") == 0
    acts = "select actor_kind, actor_id, reason from audit_rows where verb = 'import events'"
    assert await ask(service.urls, acts) == [("system", ada.user_id, "a test")]


async def test_a_row_without_a_point_stands_in_the_middle_of_its_city(urls: Urls, ada: Person, tmp_path: Path) -> None:
    with psycopg.connect(urls.owner) as connection:
        put_cities(
            connection, [Place(3094802, "Kraków", "PL", 800_653, 50.06143, 19.93658, "Europe/Warsaw", [])], "one"
        )
    nowhere = {"latitude": None, "longitude": None}
    rows = [row(1, city="krakow", **nowhere), row(2, city="Atlantis", **nowhere), row(3, city="Krakow")]
    results = await bring_in(urls, ada, write(tmp_path, rows))
    assert [each.notes for each in results] == [
        ("latitude: is not given, so the event stands in the middle of its city",),
        ("latitude: is not known, so the event is not found by distance",),
        (),
    ]
    points = await ask(urls, "select latitude, has_city_point from events order by title")
    assert points == [(50.06143, True), (None, False), (50.1, False)]
    assert counts(await bring_in(urls, ada, write(tmp_path, rows))) == {"unchanged": 3}
