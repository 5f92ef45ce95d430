"""The worker as a process: it starts on a sound database only, survives lost connections, and stops when told."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from muster.kit.db.database import Database
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls

RECORD = """
with fact as (
  insert into facts (tenant_id, id, kind, version, aggregate_id, data, actor_kind, request_id, at)
  values ($1, $2, 'test.unknown', 1, $2, '{}', 'system', 'test', $3)
)
insert into outbox (tenant_id, fact_id) values ($1, $2)
"""


@asynccontextmanager
async def _worker(urls: Urls, **environ: str) -> AsyncIterator[Process]:
    """A worker on a database; killed at the end if it still runs. environ: further settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "muster.cli",
        "worker",
        env={
            **os.environ,
            "MUSTER_ENV": "test",
            "JWT_SECRET": "x" * 32,
            "DATABASE_URL": urls.app,
            "DATABASE_OWNER_URL": urls.owner,
            "DATABASE_WORKER_URL": urls.worker,
            **environ,
        },
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: Process, words: str) -> str:
    """The next line of the log with these words. Fails, with all that was said, when the process ends before."""
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(20):
        while line := (await process.stderr.readline()).decode():
            said += line
            if words in line:
                return line
    return pytest.fail(said)


async def _is_sequenced(urls: Urls) -> None:
    """Leave a fact in the outbox, and wait until it has its position."""
    tenant, fact = UUID(int=1), uuid4()
    database = await Database.open(urls.app, size=1)
    try:
        async with database.transaction(tenant) as tx:
            await tx.connection.execute(RECORD, tenant, fact, datetime.now(UTC))
        async with asyncio.timeout(10):
            while await _position(database, tenant, fact) is None:  # noqa: ASYNC110 - the other side is a process
                await asyncio.sleep(0.02)
    finally:
        await database.close()


async def _position(database: Database, tenant: UUID, fact: UUID) -> int | None:
    async with database.transaction(tenant) as tx:
        position: int | None = await tx.connection.fetchval("select position from facts where id = $1", fact)
    return position


async def test_it_works_until_sigterm_and_shows_what_it_did(urls: Urls, free_port: int) -> None:
    bind = f"127.0.0.1:{free_port}"
    async with _worker(urls, MUSTER_WORKER_METRICS_BIND=bind) as process:
        await _line(process, "worker.started")
        await _is_sequenced(urls)
        async with httpx.AsyncClient() as http:
            told = await http.get(f"http://{bind}/metrics")
        assert "facts_sequenced_total 1.0" in told.text
        process.send_signal(signal.SIGTERM)
        await _line(process, "worker.stopped")
        assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_it_connects_again_when_its_connections_are_lost(urls: Urls, server: EmbeddedPostgres) -> None:
    async with _worker(urls) as process:
        await _line(process, "worker.started")
        await _is_sequenced(urls)
        database = conninfo_to_dict(urls.worker)["dbname"]
        with psycopg.connect(server.superuser_url(str(database))) as connection:
            ended = connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = %s",
                [urls.roles().worker],
            ).fetchall()
        assert len(ended) >= 4  # the sequencer's, the queue's, and those of the pool
        await _is_sequenced(urls)
        assert process.returncode is None


async def test_it_refuses_a_database_that_would_let_tenants_meet(urls: Urls) -> None:
    owner = await asyncpg.connect(urls.owner)
    await owner.execute("alter table facts no force row level security")
    await owner.close()
    async with _worker(urls) as process:
        _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert "isolate('facts')" in said.decode()
    assert "Traceback" not in said.decode()
