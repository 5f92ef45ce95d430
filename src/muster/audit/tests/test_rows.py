"""The audit log: rows are only ever added, whoever tries to change them."""

import asyncpg
import pytest

from muster.testing.below import ask, maintenance
from muster.testing.people import Standing
from muster.testing.town import Town


@pytest.mark.parametrize("change", ["update audit_rows set outcome = 'done'", "delete from audit_rows"])
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
