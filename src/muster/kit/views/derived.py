"""Rows that no table holds, such as those that are code: a view reads them as it reads a table."""

from typing import Any

from sqlalchemy import Column, FromClause, MetaData, Select, Table, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase


class DerivedRow(DeclarativeBase):
    """Base of rows that views read and no table holds. `__table__` is a `Derived`."""


class Derived(Table):
    """What stands for a table: the rows of a select."""

    inherit_cache = False


def derived(name: str, rows: str, *columns: Column[Any], stored: FromClause | None = None) -> Derived:
    """The rows of a select under a name.

    rows: the text of the select, of our own making; its columns are named as `columns` are, an `id` among them.
    stored: the table that those of the rows which can change are kept in, under the same ids.
    """
    return Derived(name, MetaData(), *columns, info={"rows": rows, "stored": stored})


def kept(found: Select[Any], table: Table) -> Select[Any]:
    """The ids that a select finds, locked as an update of their rows does it; what is code stays as it is anyway."""
    if not isinstance(table, Derived):
        return found.with_for_update(key_share=True)
    stored = table.info["stored"]
    return (
        found if stored is None else select(stored.c.id).where(stored.c.id.in_(found)).with_for_update(key_share=True)
    )


@compiles(Derived)
def _write(element: Derived, _compiler: Any, **_options: Any) -> str:
    return f"({element.info['rows']})"
