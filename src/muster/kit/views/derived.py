"""Rows that no table holds, such as those that are code: a view reads them as it reads a table."""

from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase


class DerivedRow(DeclarativeBase):
    """Base of rows that views read and no table holds. `__table__` is a `Derived`."""


class Derived(Table):
    """What stands for a table: the rows of a select."""

    inherit_cache = False


def derived(name: str, rows: str, *columns: Column[Any]) -> Derived:
    """The rows of a select under a name.

    rows: the text of the select, of our own making; its columns are named as `columns` are, an `id` among them.
    """
    return Derived(name, MetaData(), *columns, info={"rows": rows})


@compiles(Derived)
def _write(element: Derived, _compiler: Any, **_options: Any) -> str:
    return f"({element.info['rows']})"
