"""The queue's tables are those that the installed library declares."""

import asyncpg
import pytest

from muster.kit.db.migrate import Urls
from muster.kit.work.queue import NAMES, queue_on


async def test_the_revision_makes_what_the_installed_library_declares(urls: Urls) -> None:
    connection = await asyncpg.connect(urls.owner)
    try:
        plan = await queue_on(connection).plan_upgrade()
    finally:
        await connection.close()
    assert (plan.statements, plan.notes) == ((), ())


async def test_the_tables_survive_a_crash_of_the_server(urls: Urls) -> None:
    connection = await asyncpg.connect(urls.owner)
    try:
        unlogged = await connection.fetchval(
            "select count(*) from pg_class where relnamespace = 'pgqueuer'::regnamespace and relpersistence <> 'p'"
        )
    finally:
        await connection.close()
    assert unlogged == 0


@pytest.mark.parametrize("table", ["pgqueuer", "pgqueuer_log", "pgqueuer_statistics", "pgqueuer_schedules"])
async def test_the_app_role_has_no_way_to_the_queue(urls: Urls, table: str) -> None:
    connection = await asyncpg.connect(urls.app)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"select * from pgqueuer.{table}")  # noqa: S608 - a name from this file
    finally:
        await connection.close()


def test_the_environment_does_not_rename_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in type(NAMES).model_fields:
        monkeypatch.setenv(f"PGQUEUER_{field.upper()}", "elsewhere")
    assert "elsewhere" not in NAMES.model_dump().values()
