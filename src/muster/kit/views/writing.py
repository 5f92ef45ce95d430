"""Writing JSON as text inside PostgreSQL: one writer per type, nothing left to defaults."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MOMENT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""The one form of a moment in answers: ISO 8601, UTC, microseconds."""


class Concatenation(FunctionElement[str]):
    """Text joined by ||, as a balanced tree: a flat chain of some thousand exhausts PostgreSQL's stack."""

    type = Text()
    inherit_cache = True
    name = "concatenation"


@compiles(Concatenation)
def _write_concatenation(element: Concatenation, compiler: Any, **options: Any) -> str:
    parts = [compiler.process(clause, **options) for clause in element.clauses]
    return _balanced(parts)


def _balanced(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle])} || {_balanced(parts[middle:])})"


def constant(text: str) -> ColumnElement[str]:
    """A piece of the answer that is always the same."""
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text())


def join(parts: Sequence[str | ColumnElement[str]]) -> ColumnElement[str]:
    """Text from constants (`str`) and expressions, neighbouring constants made one."""
    pieces: list[str | ColumnElement[str]] = []
    for part in parts:
        if isinstance(part, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += part
        else:
            pieces.append(part)
    clauses = [constant(piece) if isinstance(piece, str) else piece for piece in pieces if not _is_empty(piece)]
    return clauses[0] if len(clauses) == 1 else Concatenation(*clauses)


def _is_empty(piece: str | ColumnElement[str]) -> bool:
    return isinstance(piece, str) and piece == ""


def json_object(members: Iterable[tuple[str, str | ColumnElement[str]]]) -> ColumnElement[str]:
    """A JSON object from keys and values that are JSON text; keys are names that GraphQL allows, so need no escape."""
    parts: list[str | ColumnElement[str]] = []
    for key, value in members:
        parts += [f'{"," if parts else "{"}"{key}":', value]
    return join([*(parts or ["{"]), "}"])


class Written(FunctionElement[str]):
    """A value as JSON text, or a moment as bare text: one node instead of a cast in a function in a concatenation."""

    type = Text()
    inherit_cache = False
    name = "written"

    def __init__(self, value: ColumnElement[Any], form: str) -> None:
        self.form = form
        super().__init__(value)


@compiles(Written)
def _write(element: Written, compiler: Any, **options: Any) -> str:
    return element.form.format(value=compiler.process(element.clauses, **options))


_MOMENT = f"to_char(timezone('UTC', {{value}}), '{MOMENT}')"
_AS_IT_IS = "CAST({value} AS TEXT)"
_IN_QUOTES = "('\"' || {form} || '\"')"
_FORMS: dict[Any, str] = {
    UUID: _IN_QUOTES.format(form=_AS_IT_IS),
    datetime: _IN_QUOTES.format(form=_MOMENT),
    **dict.fromkeys((int, float, bool), _AS_IT_IS),
}


def moment(value: ColumnElement[Any]) -> ColumnElement[str]:
    """A moment as text, without quotes."""
    return Written(value, _MOMENT)


def write(value: ColumnElement[Any], kind: Any) -> ColumnElement[str]:
    """A value of type `kind` as JSON text; NULL stays NULL."""
    return Written(value, _FORMS.get(kind, "CAST(to_json({value}) AS TEXT)"))


def or_null(text: ColumnElement[str]) -> ColumnElement[str]:
    """JSON text, `null` where SQL has NULL: one NULL in a concatenation makes all of it NULL."""
    return func.coalesce(text, constant("null"), type_=Text())
