"""Statements: built once with SQLAlchemy Core, run on asyncpg, each answering with a typed row."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ARRAY, BindParameter, ClauseElement, TableValuedAlias, bindparam, column, func, insert
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

from muster.kit.db.tables import Table


class _Compiler(PGCompiler_asyncpg):
    """Writes our own constants into the text, where the planner can use them; what clients send stays a parameter."""

    def visit_bindparam(self, bindparam: BindParameter[Any], **options: Any) -> str:  # type: ignore[override]
        # SQLAlchemy names its options one by one, and leaves this method untyped.
        ours = {} if bindparam.required else {"literal_binds": True}
        text: str = super().visit_bindparam(bindparam, **options | ours)  # type: ignore[no-untyped-call]
        return text


class _Dialect(PGDialect_asyncpg):
    statement_compiler = _Compiler


_DIALECT = _Dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves its dialects untyped


def quoted(name: str) -> str:
    """A name as it stands in a statement."""
    written: str = _DIALECT.identifier_preparer.quote(name)
    return written


class Row(msgspec.Struct, kw_only=True):
    """Base of what a statement answers with; its field names are the statement's column names."""


class Nothing(Row):
    """The row of a statement that answers with none."""


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True)
class SqlText:
    """A statement as the driver takes it: text with $1, $2 ..., and the names that fill them in order."""

    text: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The values in the order of the text; a name without a value is a KeyError."""
        return [values[name] for name in self.names]


def to_text(element: ClauseElement, insert_keys: tuple[str, ...] | None = None) -> SqlText:
    """Compile a SQLAlchemy element. Open `bindparam` names and insert keys are filled when it runs."""
    compiled: Any = element.compile(dialect=_DIALECT, column_keys=insert_keys)
    return SqlText(str(compiled), tuple(compiled.positiontup or ()))


class Statement(Generic[RowT]):
    """A statement that is compiled at its first use and then kept.

    row: what each result row is read into.
    element: the SQLAlchemy statement; its open `bindparam` names are the keyword arguments when it runs.
    insert_keys: for an INSERT, the columns that keyword arguments fill.
    """

    def __init__(self, row: type[RowT], element: ClauseElement, *, insert_keys: tuple[str, ...] | None = None) -> None:
        self.row = row
        self._element = element
        self._insert_keys = insert_keys

    @cached_property
    def sql(self) -> SqlText:
        """The compiled text."""
        return to_text(self._element, self._insert_keys)


def columns(row: type[Row], table: type[Table]) -> list[InstrumentedAttribute[Any]]:
    """The columns of `table` that the fields of `row` name, for a SELECT or RETURNING."""
    return [getattr(table, name) for name in row.__struct_fields__]


def insertion(row: type[RowT], table: type[Table], *keys: str) -> Statement[RowT]:
    """An INSERT of one row whose `keys` are given when it runs, answering with the columns of `row`."""
    statement = insert(table)
    returned = columns(row, table)
    element: ClauseElement | ReturningInsert[Any] = statement.returning(*returned) if returned else statement
    return Statement(row, element, insert_keys=keys)


def given(**types: TypeEngine[Any]) -> TableValuedAlias:
    """Rows that are given when a statement runs, with an array for each column."""
    arrays = (bindparam(name, type_=ARRAY(kind)) for name, kind in types.items())
    return func.unnest(*arrays).table_valued(*(column(*each) for each in types.items())).render_derived("given")
