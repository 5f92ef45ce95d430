"""Exports: all that is one's own and nothing of others, once a day, for a week, and then nothing is left of them."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import asyncpg
import pytest

import muster.slices  # noqa: F401 - what it imports is declared
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT, Table
from muster.kit.ids import new_id
from muster.kit.personal.exporting import Archive, Part, parts, tenant_parts
from muster.kit.storage.storage import folder_of, storage_of
from muster.privacy.rules import EXPORT_KEPT
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import Person, Standing
from muster.testing.town import Town
from muster.testing.work import working

_FORMULA = "=HYPERLINK(1)"
# What a column is called that holds a secret of the service, or what makes one.
_SECRET = ("hash", "secret", "token", "salt", "credential", "publickey", "seal")


async def _exported(town: Town, person: Person, **environ: str) -> ZipFile:
    """The archive that somebody has made and fetches by the link in the mail."""
    (await person.client.call("requestExport")).ok()
    async with working(town.service.urls, **environ) as work:
        await work.quiet()
    link = (await person.client.call("exportLink")).ok()["url"]
    fetched = await town.service.http.get(f"/files/{link.rpartition('/')[2]}")
    assert fetched.status_code == 200
    return ZipFile(io.BytesIO(fetched.content))


def _rows(archive: ZipFile, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read(f"{table}.json"))
    return found


async def _left(town: Town, person: Person) -> list[str]:
    return await storage_of(town.service.settings).paths(folder_of(user_id=person.user_id))


async def test_an_export_holds_all_that_is_one_s_own_and_nothing_of_others(town: Town) -> None:
    member, owner = town.people[Standing.MEMBER], town.people[Standing.OWNER]
    (await member.client.call("sendEventMessage", eventId=town.event_id, content=_FORMULA)).ok()
    (await owner.client.call("sendEventMessage", eventId=town.event_id, content="A word of another")).ok()
    archive = await _exported(town, member)
    index = json.loads(archive.read("index.json"))
    assert set(index) == {part.table for part in parts()}
    assert {f"{name}.{kind}" for name in index for kind in ("json", "csv")} <= set(archive.namelist())
    (account,) = _rows(archive, "users")
    assert (account["id"], account["name"]) == (str(member.user_id), member.name)
    assert {row["content"] for row in _rows(archive, "messages")} == {"What is on in main?", _FORMULA}
    assert {row["community"] for row in _rows(archive, "messages")} == {"main"}
    whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for stranger in ("A word of another", owner.name, "spoke out of turn"):
        assert stranger not in whole
    table = list(csv.DictReader(io.StringIO(archive.read("messages.csv").decode())))
    assert {row["content"] for row in table} == {"What is on in main?", f"'{_FORMULA}"}
    assert index["messages"]["rows"] == 2
    assert _rows(archive, "event_agenda_items") == []


async def test_an_export_holds_what_belongs_to_one_s_events_and_one_s_part_in_those_of_others(town: Town) -> None:
    owner, host = town.people[Standing.OWNER], town.people[Standing.MEMBER]
    archive = await _exported(town, owner)
    assert {row["title"] for row in _rows(archive, "event_agenda_items")} == {"Opening game"}
    assert "Grandmaster Ada" in {row["name"] for row in _rows(archive, "event_agenda_hosts")}
    assert "board games" in {row["tag"] for row in _rows(archive, "event_tags")}
    hosted = _rows(await _exported(town, host), "event_agenda_hosts")
    assert {(row["userId"], row["name"]) for row in hosted} == {(str(host.user_id), None)}


async def test_an_export_holds_what_one_has_in_every_community(world: Any) -> None:
    town = world.victim
    elsewhere = town.people[Standing.OTHER_TENANT]
    archive = await _exported(town, elsewhere)
    communities = {row["community"] for row in _rows(archive, "members")}
    slugs = {slug for (slug,) in await ask(town.service.urls, "select slug from tenants")}
    assert len(communities) == 2
    assert communities < slugs


@pytest.mark.parametrize("way", Way)
async def test_an_export_is_made_once_a_day_however_often_it_is_asked_for(town: Town, way: Way) -> None:
    member = town.people[Standing.MEMBER]
    answers = await asyncio.gather(*(member.client.call("requestExport", way=way) for _ in range(5)))
    assert sorted(str(answer.code) for answer in answers) == ["EXPORT_TOO_SOON"] * 4 + ["None"]
    refused = next(answer for answer in answers if answer.code)
    assert refused.status == 429
    assert refused.problem["nextAt"]
    async with working(town.service.urls) as work:
        await work.quiet()
    (first,) = await _left(town, member)
    await change(town.service.urls, "update exports set asked_at = asked_at - interval '24 hours'")
    (await member.client.call("requestExport", way=way)).ok()
    assert (await member.client.call("exportLink", way=way)).code == "EXPORT_GONE"
    async with working(town.service.urls) as work:
        await work.quiet()
    (second,) = await _left(town, member)
    assert first != second


async def test_an_export_is_told_of_by_mail_whose_link_works_for_a_week(town: Town) -> None:
    member, service = town.people[Standing.MEMBER], town.service
    await _exported(town, member)
    own = (await member.client.call("myExport")).ok()
    assert (own["status"], own["progress"]) == ("READY", 100)
    mail = (await service.http.get("/dev/mail", headers={"accept": "application/json"})).json()
    link = next(link for each in mail for link in each["links"] if "/export?" in link)
    page = await service.http.get("/export", params={"token": link.partition("token=")[2]})
    assert (page.status_code, "/files/" in page.text) == (200, False)
    opened = await service.http.post("/export", data={"token": link.partition("token=")[2]})
    assert "/files/" in opened.text
    assert len(await _left(town, member)) == 1
    async with working(service.urls) as work:
        await work.pass_to(datetime.now(UTC) + EXPORT_KEPT + timedelta(hours=1))
    assert await _left(town, member) == []
    assert await value(service.urls, "select status from exports") == "GONE"
    await change(service.urls, "update exports set expires_at = now() - interval '1 second'")
    gone = await service.http.post("/export", data={"token": link.partition("token=")[2]})
    assert (gone.status_code, "/files/" in gone.text) == (410, False)


async def test_nobody_has_an_export_of_another_and_it_asks_for_a_proof(town: Town) -> None:
    member, outsider = town.people[Standing.MEMBER], town.people[Standing.OUTSIDER]
    await _exported(town, member)
    assert (await outsider.client.call("myExport")).missing
    assert (await outsider.client.call("exportLink")).code == "EXPORT_GONE"
    made = str(await value(town.service.urls, "select id from exports"))
    for token in (made, f"{made.replace('-', '')}.seal", "x" * 40):
        assert (await Client(town.service).call("openExport", token=token)).code == "EXPORT_GONE"
    await change(town.service.urls, "update sessions set proved_at = null")
    assert (await outsider.client.call("requestExport")).code == "STEP_UP_REQUIRED"
    assert (await member.client.call("exportLink")).code == "STEP_UP_REQUIRED"


@asynccontextmanager
async def _as(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url, size=2)
    try:
        yield database
    finally:
        await database.close()


@pytest.mark.parametrize("role", ["worker", "app"])
async def test_whoever_makes_exports_may_read_all_that_goes_into_them(urls: Urls, role: str, tmp_path: Path) -> None:
    async def told(_done: float) -> None:
        return

    async with _as(getattr(urls, role)) as database:
        every = [*parts(), *(tenant_parts() if role == "app" else ())]
        refused = [each for part in every if (each := await _refused(database, part)) is not None]
        assert refused == []
        archive = Archive(database, new_id(), [(PLATFORM_TENANT, "platform")], told)
        await archive.write(tmp_path / "any.zip", at="now")
    assert json.loads(ZipFile(tmp_path / "any.zip").read("users.json")) == []


async def _refused(database: Database, part: Part) -> str | None:
    """Why a part may not be read; None when it may."""
    values = {"person": new_id(), "tenant": PLATFORM_TENANT, "after": new_id()}
    try:
        async with database.transaction(PLATFORM_TENANT) as tx:
            assert await tx.connection.fetch(part.rows.text, *part.rows.arguments(values)) == []
    except asyncpg.InsufficientPrivilegeError as error:
        return f"{error}; grant it in a migration, or declare what is withheld"
    return None


def test_every_table_with_personal_columns_is_in_every_export_and_no_secret_is() -> None:
    declared = {each.name for each in Table.metadata.sorted_tables if any(c.info["personal"] for c in each.columns)}
    assert declared <= {part.table for part in parts()}
    told = [f"{part.table}.{name}" for part in (*parts(), *tenant_parts()) for name in part.columns]
    assert [each for each in told if any(word in each.rpartition(".")[2].lower() for word in _SECRET)] == []
