"""The audit log: rows are only ever added, whoever tries to change them."""

import asyncpg
import msgspec
import pytest

import muster.slices  # noqa: F401 - declares every table
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import Table
from muster.testing.below import ask, maintenance
from muster.testing.people import Standing
from muster.testing.town import Town


@pytest.mark.parametrize(
    "change",
    [
        "update audit_rows set outcome = 'done'",
        "update audit_rows set address = '192.0.2.1'",
        "update audit_rows set address = null",
        "delete from audit_rows",
    ],
)
async def test_not_even_the_owner_changes_a_row(town: Town, change: str) -> None:
    before = await ask(town.service.urls, "select id, outcome from audit_rows order by id")
    assert before
    async with maintenance(town.service.urls) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only ever added"):
            await connection.execute(change)
    assert await ask(town.service.urls, "select id, outcome from audit_rows order by id") == before


async def test_a_row_says_who_did_what_to_what(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    rows = await ask(
        town.service.urls,
        "select actor_kind, actor_id, outcome, object_kind, object_id from audit_rows where verb = 'publishEvent'",
    )
    published = {row[4] for row in rows}
    assert {row[:4] for row in rows} == {("person", owner.user_id, "done", "Event")}
    assert published == {town.event_id, town.hidden_id}


async def test_a_row_says_what_was_changed_and_keeps_to_itself_what_is_personal(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    (await owner.call("updateEvent", id=town.event_id, input={"title": "A secret place", "max": 9})).ok()
    (await owner.call("updateEvent", id=town.event_id, input={"description": "Nothing that the log tells of"})).ok()
    (await owner.call("kickMember", eventId=town.event_id, userId=town.waiting.user_id)).ok()
    rows = await ask(
        town.service.urls,
        "select changes from audit_rows where verb in ('updateEvent', 'kickMember') and changes is not null order by id",
    )
    told = [msgspec.json.decode(row[0]) for row in rows]
    event = {"table": "events", "id": str(town.event_id)}
    assert told == [
        [event | {"before": {"max": 3, "title": "***"}, "after": {"max": 9, "title": "***"}}],
        [event | {"before": {"description": "***"}, "after": {"description": "***"}}],
    ]


async def test_each_of_several_commands_in_one_transaction_has_its_own_changes(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    update = {"method": "PATCH", "path": f"/api/v1/events/{town.event_id}"}
    batch = {"operations": [update | {"body": {"max": 7}}, update | {"body": {"max": 8}}]}
    done = await town.service.http.post("/api/v1/batch", json=batch, headers=owner.headers())
    assert done.status_code == 200, done.text
    rows = await ask(town.service.urls, "select changes from audit_rows where verb = 'updateEvent' order by id")
    assert [msgspec.json.decode(row[0])[0]["after"] for row in rows] == [{"max": 7}, {"max": 8}]


async def test_nothing_personal_is_noted_in_clear(urls: Urls) -> None:
    """Whatever the migrations of any slice say."""
    noted = await ask(
        urls,
        "select tgrelid::regclass::text, convert_from(substr(tgargs, 1, length(tgargs) - 1), 'UTF8') from "
        "(select tgrelid, replace(encode(tgargs, 'escape'), '\\000', ' ')::bytea as tgargs from pg_trigger "
        "where tgfoid = 'note_change'::regproc) as noting",
    )
    assert noted
    for table, columns in noted:
        declared = Table.metadata.tables[table].columns
        clear = [name for name in columns.split() if not name.startswith("*")]
        assert [name for name in clear if declared[name].info["personal"]] == [], table
