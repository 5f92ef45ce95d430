"""Is everything as it should be? Every setting with its origin, and every part that Muster leans on."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import asyncpg
import msgspec

import muster.slices  # noqa: F401 - what it declares is what the database's catalogue is compared with
from muster.adapters.smtp import reach
from muster.cli.output import JsonFlag, show_json, show_rows
from muster.cli.urls import given_urls
from muster.kit.db.catalogue import catalogue_problems
from muster.kit.db.database import connect
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, embedded_urls, newest_revision
from muster.kit.limits import rules_in_force
from muster.kit.mail.delivery import NotTaken
from muster.kit.store.connection import StoreDown, StoreRefused
from muster.kit.store.store import Store
from muster.settings import Settings

_PATIENCE_SECONDS = 5.0
_LEAST_FREE_BYTES = 1_000_000_000
_REVISION = "select version_num from alembic_version"
_A_WORKER_WORKS = "select coalesce(max(last_run_at) > now() - interval '3 minutes', false) from schedule_runs"

State = Literal["ok", "note", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """What was found of one part. `note`: nothing is wrong, but something is not there. remedy: what to do."""

    part: str
    state: State
    finding: str
    remedy: str = ""


async def check(*, as_json: JsonFlag = False) -> None:
    """Check settings, database, isolation, mail and disk; exit code 1 when something is wrong.

    Prints each setting with where it comes from, secrets masked, and each finding with its remedy.

    Example: MUSTER_ENV=production muster check
    """
    settings = Settings.load()
    findings = [_disk(settings.data_dir), *[each async for each in _database(settings)]]
    findings += [await _store(settings), _limits(settings), await _mail(settings)]
    origins = [{"name": o.name, "value": o.shown, "from": o.source, "meaning": o.meaning} for o in settings.origins]
    if as_json:
        show_json({"settings": origins, "findings": findings})
    else:
        show_rows(origins)
        print()
        show_rows([msgspec.structs.asdict(each) for each in findings])
    if any(each.state == "problem" for each in findings):
        sys.exit(1)


def _disk(data_dir: Path) -> Finding:
    """Whether there is room where the embedded database and local files live, or will live."""
    there = next(each for each in (data_dir, *data_dir.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    finding = f"{free / 1e9:.1f} GB free for {data_dir}"
    if free >= _LEAST_FREE_BYTES:
        return Finding("disk", "ok", finding)
    return Finding("disk", "problem", finding, "Make room, or set MUSTER_DATA_DIR to a folder on a larger disk.")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    """The connections of the three roles, and what they show of the database."""
    embedded = EmbeddedPostgres(settings.data_dir)
    if settings.database.url:
        urls = given_urls(settings)
    elif embedded.was_started():
        urls = embedded_urls(embedded, settings.database.role_prefix)
    else:
        yield Finding("database", "note", "the embedded PostgreSQL has not been started yet", "`muster up` starts it.")
        return
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for each in [await _migrations(urls), await _isolation(urls), await _worker(urls)]:
                yield each
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        if settings.database.url is None:
            yield Finding("database", "note", "the embedded PostgreSQL does not run", "`muster up` starts it.")
        else:
            remedy = "Is it running, and are DATABASE_URL, DATABASE_OWNER_URL and DATABASE_WORKER_URL right?"
            yield Finding("database", "problem", f"does not answer: {error!r}", remedy)


async def _migrations(urls: Urls) -> Finding:
    connection = await connect(urls.owner)
    try:
        there = await connection.fetchval(_REVISION)
    except asyncpg.UndefinedTableError:
        there = "none"
    finally:
        await connection.close()
    newest = newest_revision()
    if there == newest:
        return Finding("migrations", "ok", f"at {newest}, the newest")
    return Finding("migrations", "problem", f"at {there}, and the newest is {newest}", "Run `muster migrate`.")


async def _isolation(urls: Urls) -> Finding:
    connection = await connect(urls.app)
    try:
        problems = await catalogue_problems(connection)
    finally:
        await connection.close()
    if not problems:
        return Finding("isolation", "ok", "tenants are kept apart on every table")
    return Finding("isolation", "problem", "; ".join(problems), "Do what each says; until then Muster does not serve.")


async def _worker(urls: Urls) -> Finding:
    connection = await connect(urls.worker)
    try:
        works = await connection.fetchval(_A_WORKER_WORKS)
    except asyncpg.UndefinedTableError:
        works = False
    finally:
        await connection.close()
    if works:
        return Finding("worker", "ok", "one has run within the last three minutes")
    return Finding("worker", "note", "none has run within the last three minutes", "`muster worker` starts one.")


async def _store(settings: Settings) -> Finding:
    if settings.store is None:
        return Finding("store", "note", "REDIS_URL is not set, so one process of the API counts for itself")
    store = Store(settings.store)
    try:
        await store.connect()
    except (StoreDown, StoreRefused) as failure:
        return Finding("store", "problem", f"{settings.store}: {failure}", "Does it run, and is REDIS_URL right?")
    await store.close()
    return Finding("store", "ok", f"{settings.store} answers")


def _limits(settings: Settings) -> Finding:
    if not settings.rates.are_limited:
        return Finding("limits", "note", "MUSTER_RATE_LIMITS is off, so nobody is held back")
    try:
        rules_in_force(settings.rates.chosen, is_production=settings.is_production)
    except ValueError as error:
        return Finding("limits", "problem", str(error), "Put MUSTER_LIMITS right: until then the API does not start.")
    return Finding("limits", "ok", "rates are limited; docs/operations/limits.md tells how")


async def _mail(settings: Settings) -> Finding:
    if settings.mail.smtp_url is None:
        finding = "SMTP_URL is not set, so mail is kept and not sent"
        if settings.is_production:
            return Finding("mail", "problem", finding, "Without mail nobody can verify an account: set SMTP_URL.")
        return Finding("mail", "note", finding, "/dev/mail shows it.")
    try:
        await reach(settings)
    except NotTaken as failure:
        return Finding("mail", "problem", f"the mail server does not let us in: {failure}", "Is SMTP_URL right?")
    return Finding("mail", "ok", "the mail server lets us in")
