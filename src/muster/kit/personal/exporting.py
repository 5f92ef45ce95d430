"""An archive of what a person or a community has, from the tables that declare whose their rows are: a new one is in it
by itself.

For each table it holds the same rows as JSON and as CSV, without what is withheld: secrets of the service, and what others
wrote in confidence. Rows are read in batches and written beside the event loop, so that one large export holds up nobody.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from sqlalchemy import text

from muster.kit.db.database import Database
from muster.kit.db.statements import SqlText, quoted, to_text
from muster.kit.db.tables import PLATFORM_TENANT, GlobalTable, Table
from muster.kit.personal.whose import leads_to_person, of_person
from muster.kit.sheets import cell
from muster.kit.text import camel

AT_ONCE = 500
"""Rows that are read and written at once."""
_OF_A_PERSON = "What this service knows of you"
_OF_A_COMMUNITY = "What this community has on this service"
_README = """{head}, as of {at}.

Each table is here twice: as JSON for programs, as CSV for spreadsheets. `index.json` says what each holds. Where a row
belongs to a community, `community` names it. Passwords and other secrets of the service are left out, and what some wrote
of others in confidence.
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What an archive holds of one table. isolated: its rows belong to communities."""

    table: str
    meaning: str
    columns: tuple[str, ...]
    isolated: bool
    rows: SqlText
    is_there: str


@cache
def parts() -> tuple[Part, ...]:
    """The parts of every person's archive: all tables that lead to a person."""
    return tuple(_part(each, of_person(each)) for each in _tables() if leads_to_person(each))


@cache
def tenant_parts() -> tuple[Part, ...]:
    """The parts of every community's archive: all tables whose rows are a community's, but those of the machinery."""
    return tuple(
        _part(each, "tenant_id = :tenant") for each in _tables() if _is_isolated(each) and not each.is_machinery
    )


def _tables() -> list[type[Table]]:
    return sorted((mapper.class_ for mapper in Table.registry.mappers), key=lambda each: str(each.__tablename__))


def _is_isolated(table: type[Table]) -> bool:
    return not issubclass(table, GlobalTable)


def _part(table: type[Table], own: str) -> Part:
    """own: the condition for the rows that are in it."""
    sql = Table.metadata.tables[table.__tablename__]
    isolated = _is_isolated(table)
    columns = [each.name for each in sql.columns if not each.info.get("withheld") and each.name != "tenant_id"]
    chosen = ", ".join(quoted(each) for each in columns)
    rows = (
        f"select to_jsonb(r)::text from (select {chosen} from {quoted(sql.name)} where {own} and id > :after "  # noqa: S608
        f"order by id limit {AT_ONCE}) r"
    )
    return Part(
        table=sql.name,
        meaning=(table.__doc__ or "").strip().splitlines()[0],
        columns=(*(("community",) if isolated else ()), *map(camel, columns)),
        isolated=isolated,
        rows=to_text(text(rows)),
        is_there=f"exists (select from {quoted(sql.name)} where {own})",
    )


@dataclass(frozen=True)
class Archive:
    """The making of one archive.

    user_id: of whom; None is all that the communities have. communities: those to look in, by id, with their names.
    told: is given how far it is, from 0 to 1.
    """

    database: Database
    user_id: UUID | None
    communities: Sequence[tuple[UUID, str]]
    told: Callable[[float], Awaitable[None]]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it holds."""
        return tenant_parts() if self.user_id is None else parts()

    async def write(self, file: Path, *, at: str) -> dict[str, int]:
        """Write the archive; answers with the number of rows by table. at: the moment that it is of, for people to read."""
        found = await self._look()
        counts: dict[str, Row] = {}
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr(
                "README.txt", _README.format(head=_OF_A_COMMUNITY if self.user_id is None else _OF_A_PERSON, at=at)
            )
            for done, part in enumerate(self.parts):
                number = await self._add(archive, part, found)
                counts[part.table] = {"meaning": part.meaning, "rows": number, "columns": part.columns}
                await self.told((done + 1) / len(self.parts))
            archive.writestr("index.json", msgspec.json.format(msgspec.json.encode(counts)))
        return {table: each["rows"] for table, each in counts.items()}

    async def _look(self) -> list[tuple[UUID, str, set[str]]]:
        """The communities in which there is anything of the person, with the tables that hold it."""
        isolated = [part for part in self.parts if part.isolated]
        question = to_text(text(f"select array[{', '.join(part.is_there for part in isolated)}]"))
        found = []
        for tenant_id, name in self.communities:
            async with self.database.transaction(tenant_id) as tx:
                values = question.arguments({"person": self.user_id, "tenant": tenant_id})
                there: list[bool] = await tx.connection.fetchval(question.text, *values)
            tables = {part.table for part, is_there in zip(isolated, there, strict=True) if is_there}
            if tables:
                found.append((tenant_id, name, tables))
        return found

    async def _add(self, archive: ZipFile, part: Part, found: list[tuple[UUID, str, set[str]]]) -> int:
        """Add the rows of one table; answers with how many there are."""
        number = 0
        with io.BytesIO() as lines:
            table = csv.writer(io.TextIOWrapper(lines, "utf-8", newline="", write_through=True))
            table.writerow(part.columns)
            with archive.open(f"{part.table}.json", "w") as listed:
                listed.write(b"[")
                async for rows in self._rows(part, found):
                    written = b",\n".join(msgspec.json.encode(row) for row in rows)
                    await asyncio.to_thread(listed.write, (b",\n" if number else b"\n") + written)
                    table.writerows([cell(row.get(column)) for column in part.columns] for row in rows)
                    number += len(rows)
                listed.write(b"\n]\n")
            await asyncio.to_thread(archive.writestr, f"{part.table}.csv", lines.getvalue())
        return number

    async def _rows(self, part: Part, found: list[tuple[UUID, str, set[str]]]) -> AsyncIterator[list[Row]]:
        """The rows of one table in batches, community by community."""
        if not part.isolated:
            async for rows in self._batches(part, PLATFORM_TENANT):
                yield rows
            return
        for tenant_id, name, tables in found:
            if part.table in tables:
                async for rows in self._batches(part, tenant_id):
                    yield [{"community": name, **row} for row in rows]

    async def _batches(self, part: Part, tenant_id: UUID) -> AsyncIterator[list[Row]]:
        after = UUID(int=0)
        while True:
            values = part.rows.arguments({"person": self.user_id, "tenant": tenant_id, "after": after})
            async with self.database.transaction(tenant_id) as tx:
                fetched = await tx.connection.fetch(part.rows.text, *values)
            rows = [msgspec.json.decode(each[0], type=Row) for each in fetched]
            if rows:
                yield [{camel(name): value for name, value in row.items()} for row in rows]
            if len(rows) < AT_ONCE:
                return
            after = UUID(rows[-1]["id"])
