"""Erasing, as the tables declare it: one statement per table, repeated in short transactions until it changes nothing.

Each statement finds only what is still to be done, so an erasure that was killed goes on where it stopped, and one that
runs twice does nothing the second time. Tables come in an order in which no key is left without what it points to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, text

from muster.kit.db.database import Database
from muster.kit.db.statements import Nothing, Statement, quoted, to_text
from muster.kit.db.tables import PLATFORM_TENANT, Erasure, Table
from muster.kit.personal.whose import leads_to_person, made_as, of_person

AT_ONCE = 1000
"""Rows that one transaction changes: nobody else waits for longer than that takes."""


@dataclass(frozen=True)
class Target:
    """Whom an erasure is about, and when.

    tenant_id: where. user_id: None is all of the community. mail: the address of the person's account; None without one.
    """

    tenant_id: UUID
    user_id: UUID | None
    now: datetime
    mail: str | None = None

    def values(self) -> dict[str, object]:
        """The parameters of every step."""
        return {"tenant": self.tenant_id, "person": self.user_id, "now": self.now, "mail": self.mail, "most": AT_ONCE}


@dataclass(frozen=True)
class Step:
    """What erases one table. probe: whether there is anything to do, as a condition with the same parameters."""

    table: str
    statement: Statement[Nothing]
    probe: str


@cache
def person_steps(*, isolated: bool, keeps_content: bool = False) -> tuple[Step, ...]:
    """What erases a person in one community, or what no community owns.

    isolated: which of the two. keeps_content: what people made stays there, under nobody's name.
    """
    kept = (Erasure.KEEP, Erasure.CONTENT) if keeps_content else (Erasure.KEEP,)
    steps = (_person_step(table, kept) for table in _declared(isolated=isolated) if leads_to_person(table))
    return tuple(step for step in steps if step is not None)


def _person_step(table: type[Table], kept: Sequence[Erasure]) -> Step | None:
    """What erases a person's rows of one table; None where they stay as they are. kept: what stays so."""
    parts = table.part_of is not None and made_as(table) not in kept
    if not parts and (table.person is None or table.erasure in kept):
        return None
    if table.erasure == Erasure.DELETE:
        return _deletion(table, _mine(table, parts=parts))
    return _blanking(table, parts=parts) if _new(table) else None


@cache
def tenant_steps() -> tuple[Step, ...]:
    """What erases all that a community owns. The row of the community itself is not its own."""
    return tuple(
        _deletion(table, "tenant_id = :tenant") for table in _declared(isolated=True) if not table.outlives_tenant
    )


async def erase(database: Database, target: Target, steps: Sequence[Step]) -> int:
    """Carry out steps in one community, each until nothing is left of it; answers with the number of rows.

    Two that run at once do each row once: the second waits at it, and finds it done.
    """
    erased = 0
    for step in await _with_rows(database, target, steps):
        while done := await _batch(database, target, step):
            erased += done
    return erased


async def erase_person(
    database: Database, user_id: UUID, now: datetime, tenants: Iterable[tuple[UUID, bool]], *, mail: str | None = None
) -> int:
    """Erase a person everywhere; answers with the number of rows.

    mail: the address of their account, which others may have written down before there was one.
    tenants: every community, with whether it keeps what erased people made. A person can have left traces where they
    never were a member, so none is left out; where there is nothing, that costs one question.
    """
    erased = 0
    for tenant_id, keeps_content in tenants:
        steps = person_steps(isolated=True, keeps_content=keeps_content)
        erased += await erase(database, Target(tenant_id, user_id, now, mail), steps)
    # The account goes last: until then the person can be found, and the erasure can go on.
    return erased + await erase(database, Target(PLATFORM_TENANT, user_id, now), person_steps(isolated=False))


async def erase_tenant(database: Database, tenant_id: UUID, now: datetime) -> int:
    """Erase all that a community owns, but what outlives it; answers with the number of rows."""
    return await erase(database, Target(tenant_id, None, now), tenant_steps())


async def _with_rows(database: Database, target: Target, steps: Sequence[Step]) -> list[Step]:
    """Those of the steps for which there is something to do, asked in one statement and in their order."""
    question = to_text(text(f"select array[{', '.join(step.probe for step in steps)}]"))
    async with database.transaction(target.tenant_id) as tx:
        found: list[bool] = await tx.connection.fetchval(question.text, *question.arguments(target.values()))
    return [step for step, is_due in zip(steps, found, strict=True) if is_due]


async def _batch(database: Database, target: Target, step: Step) -> int:
    async with database.transaction(target.tenant_id) as tx:
        return await tx.run(step.statement, **target.values())


def _declared(*, isolated: bool) -> list[type[Table]]:
    """The tables of communities or those of none, what points to others before what it points to."""
    classes = {mapper.local_table: mapper.class_ for mapper in Table.registry.mappers}
    found = [table for table in reversed(Table.metadata.sorted_tables) if ("tenant_id" in table.columns) == isolated]
    return [classes[table] for table in found]


def _mine(table: type[Table], *, parts: bool) -> str:
    """The condition for the rows of the person. parts: with the parts of what is theirs."""
    own = of_person(table, parts=parts)
    if table.mailed is None:
        return own
    mailed = f"({own} or {quoted(table.mailed)} = :mail)"
    return f"tenant_id = :tenant and {mailed}" if "tenant_id" in table.__table__.columns else mailed


def _deletion(table: type[Table], condition: str) -> Step:
    return _step(table, f"delete from {quoted(table.__tablename__)}", condition)  # noqa: S608 - our own names


def _blanking(table: type[Table], *, parts: bool) -> Step:
    name, new = quoted(table.__tablename__), _new(table)
    values = ", ".join(f"{column} = {value}" for column, value in new.items())
    changes = " or ".join(f"{column} is distinct from {value}" for column, value in new.items())
    return _step(table, f"update {name} set {values}", f"{_mine(table, parts=parts)} and ({changes})")  # noqa: S608 - our own names


def _step(table: type[Table], deed: str, condition: str) -> Step:
    sql = Table.metadata.tables[table.__tablename__]
    name, keys = quoted(sql.name), ", ".join(quoted(column.name) for column in sql.primary_key.columns)
    chosen = f"select {keys} from {name} where {condition}"  # noqa: S608 - our own names
    statement = Statement(Nothing, text(f"{deed} where ({keys}) in ({chosen} limit :most)"))
    return Step(table.__tablename__, statement, f"exists ({chosen})")


def _new(table: type[Table]) -> dict[str, str]:
    """What stands in the columns of an erased person's row, as SQL by column."""
    found = {}
    for column in Table.metadata.tables[table.__tablename__].columns:
        value = column.info.get("erased")
        if value is None and column.info["personal"] and column.computed is None and not column.primary_key:
            value = _nothing(column)
        if value is not None:
            found[quoted(column.name)] = value
    return found


def _nothing(column: Column[Any]) -> str:
    """Nothing at all. Raises TypeError for a column that has no such value and does not say what stands there."""
    if column.nullable:
        return "null"
    if column.type.python_type is not str:
        raise TypeError(f"{column} stays when its person is erased: declare with `erased=` what stands there then")
    return "''"
