"""Writing JSON as text inside PostgreSQL: one writer per type, nothing left to defaults."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MOMENT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
"""The one form of a moment in answers: ISO 8601, UTC, microseconds."""


class Concatenation(FunctionElement[str]):
    """Text joined by ||, as a balanced tree: a flat chain of some thousand exhausts PostgreSQL's stack.

    parts: what is joined, none of it NULL.
    """

    type = Text()
    inherit_cache = True
    name = "concatenation"

    def __init__(self, parts: Sequence["Part"]) -> None:
        self.parts = parts
        super().__init__(*(constant(part) if isinstance(part, str) else part for part in parts))


Part = str | ColumnElement[str]
"""A piece of an answer: one that is always the same, or an expression of text."""


@compiles(Concatenation)
def _write_concatenation(element: Concatenation, compiler: Any, **options: Any) -> str:
    parts = [compiler.process(clause, **options) for clause in element.clauses]
    return _balanced(parts)


def _balanced(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle])} || {_balanced(parts[middle:])})"


class OrNull(FunctionElement[str]):
    """JSON text behind some that is always the same; `null` in its place where it is NULL.

    What stands before is part of it, so that where it is NULL nothing has to be joined.
    """

    type = Text()
    inherit_cache = False
    name = "or_null"

    def __init__(self, text: ColumnElement[str], before: str = "") -> None:
        self.text, self.before = text, before
        super().__init__(join([before, text]), constant(f"{before}null"))


@compiles(OrNull)
def _write_or_null(element: OrNull, compiler: Any, **options: Any) -> str:
    return f"coalesce({compiler.process(element.clauses, **options)})"


def constant(text: str) -> ColumnElement[str]:
    """A piece of the answer that is always the same."""
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text())


def join(parts: Sequence[Part]) -> ColumnElement[str]:
    """Text from constants (`str`) and expressions, with as few joints as there can be: each costs as much as a value."""
    pieces: list[Part] = []
    for part in _flat(parts):
        before = pieces.pop() if pieces and isinstance(pieces[-1], str) else ""
        if isinstance(part, str):
            pieces.append(f"{before}{part}")
        elif isinstance(part, OrNull):
            pieces.append(OrNull(part.text, f"{before}{part.before}"))
        else:
            pieces += [before, part] if before else [part]
    if len(pieces) > 1:
        return Concatenation(pieces)
    return constant(pieces[0]) if isinstance(pieces[0], str) else pieces[0]


def _flat(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, Concatenation):
            yield from part.parts
        elif part != "":
            yield part


def json_object(members: Iterable[tuple[str, Part]]) -> ColumnElement[str]:
    """A JSON object from keys and values that are JSON text; keys are names that GraphQL allows, so need no escape."""
    parts: list[Part] = []
    for key, value in members:
        parts += [f'{"," if parts else "{"}"{key}":', value]
    return join([*(parts or ["{"]), "}"])


class Written(FunctionElement[str]):
    """A value as text: one node instead of a cast in a function."""

    type = Text()
    inherit_cache = False
    name = "written"

    def __init__(self, value: ColumnElement[Any], form: str) -> None:
        self.form = form
        super().__init__(value)


@compiles(Written)
def _write(element: Written, compiler: Any, **options: Any) -> str:
    return element.form.format(value=compiler.process(element.clauses, **options))


# An interval, since the name of a zone is looked up for each value.
_MOMENT = f"to_char(timezone(interval '0', {{value}}), '{MOMENT}')"
_AS_IT_IS = "CAST({value} AS TEXT)"
_AS_JSON = "CAST(to_json({value}) AS TEXT)"
_FORMS: dict[Any, str] = {
    UUID: _AS_IT_IS,
    StrEnum: _AS_IT_IS,
    datetime: _MOMENT,
    **dict.fromkeys((int, float, bool), _AS_IT_IS),
}
# Whatever they hold, it needs no escape.
_IN_QUOTES = (UUID, StrEnum, datetime)


def moment(value: ColumnElement[Any]) -> ColumnElement[str]:
    """A moment as text, without quotes."""
    return Written(value, _MOMENT)


def is_enumeration(kind: Any) -> bool:
    """Whether a type is an enumeration of states."""
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def write(value: ColumnElement[Any], kind: Any) -> ColumnElement[str]:
    """A value of type `kind` as JSON text; NULL stays NULL. Of an enumeration it is one of its states for certain."""
    kind = StrEnum if is_enumeration(kind) else kind
    text = Written(value, _FORMS.get(kind, _AS_JSON))
    return join(['"', text, '"']) if kind in _IN_QUOTES else text


def or_null(text: ColumnElement[str]) -> ColumnElement[str]:
    """JSON text, `null` where SQL has NULL: one NULL in a concatenation makes all of it NULL."""
    return OrNull(text)
