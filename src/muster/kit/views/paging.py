"""What lists can be asked for: filters, orders, and the opaque cursors that mark a place in an order."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, get_args, get_origin
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, DateTime, Select, Text, Uuid, func, literal_column
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from muster.kit.arguments import Instant
from muster.kit.errors import BadInput

WholeNumber = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""A number from 0, as large as GraphQL's Int."""
_INPUTS: dict[type, Any] = {datetime: Instant, int: WholeNumber}
_WORDS: dict[type, str] = {datetime: "moment", int: "number"}
_SQL_TYPES: dict[Any, TypeEngine[Any]] = {
    UUID: Uuid(),
    bool: Boolean(),
    Instant: DateTime(timezone=True),
    WholeNumber: BigInteger(),
}
TEXT = Text()
DEFAULT_SIZE = 20
LARGEST_SIZE = 100
_MOST_VALUES = 50
Condition = Callable[[Any, ColumnElement[Any]], ColumnElement[bool]]
"""A condition over a table's columns and a value."""


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True)
class Filter:
    """An optional condition on a list.

    type: of its value. meaning: which rows it leaves. condition: over the table and the value; None for a finder.
    finder: the SECURITY DEFINER function `finder(value)` that returns (id, rank) of the rows that match.
    ranking_finder: the one that an order which ranks by this filter asks instead, where it ranks not all of them.
    bound_type: of the bound value, unless the value's own type says it. bound: makes it of the given one.
    rank: what an order that ranks by this filter sorts by first, of a finder the one that it returns.
    tells_of: columns whose values one might guess by asking; a row is found only by who may see them.
    is_scattered: whether no index that serves it ends in the first order's columns, so that all it finds would be sorted
    for a page (`Connection`). walked: the condition asked of one row after the other, where that is another.
    """

    type: Any
    meaning: str
    condition: Condition | None = None
    finder: str | None = None
    ranking_finder: str | None = None
    bound_type: TypeEngine[Any] | None = None
    bound: Callable[[Any], object] = _as_it_is
    rank: Callable[[Any, ColumnElement[Any]], ColumnElement[float]] | None = None
    tells_of: tuple[str, ...] = ()
    is_scattered: bool = False
    walked: Condition | None = None

    @property
    def sql_type(self) -> TypeEngine[Any]:
        """The type of the bound value."""
        return self.bound_type or _SQL_TYPES.get(self.type, Text())

    @property
    def takes_several(self) -> bool:
        """Whether its value is a list; an address has commas between its members."""
        plain = get_args(self.type)[0] if get_origin(self.type) is Annotated else self.type
        return get_origin(plain) is list


def equals(column: InstrumentedAttribute[Any]) -> Filter:
    """Rows whose column has the value."""
    kind = column.property.columns[0].info.get("values", column.type.python_type)
    return Filter(kind, "Just this.", lambda row, value: row[column.key] == value)


def several(
    kind: Any,
    meaning: str,
    condition: Condition,
    bound: Callable[[list[str]], object] = _as_it_is,
    member: TypeEngine[Any] = TEXT,
) -> Filter:
    """Rows that have to do with one of several texts.

    condition: over the table and what equals any of them (`row.kind == given`). bound: makes the bound list of the given
    one. member: the type of what is in that.
    """
    listed = Annotated[list[kind], msgspec.Meta(min_length=1, max_length=_MOST_VALUES)]
    return Filter(listed, meaning, condition, bound_type=ARRAY(member), bound=bound)


def among(column: InstrumentedAttribute[Any]) -> Filter:
    """Rows whose column, which is text, has one of the values."""
    kind = column.property.columns[0].info.get("values", str)
    return several(kind, "One of these.", lambda row, given: row[column.key] == given)


def in_any_case(column: InstrumentedAttribute[Any]) -> Filter:
    """Rows whose column, which holds small letters, has the value in small letters."""
    return Filter(str, "Just this, in small letters or large.", lambda row, value: row[column.key] == func.lower(value))


def at_least(column: InstrumentedAttribute[Any]) -> Filter:
    """Rows at or after the moment or number."""
    kind = column.type.python_type
    return Filter(_INPUTS[kind], f"From this {_WORDS[kind]} on.", lambda row, value: row[column.key] >= value)


def before(column: InstrumentedAttribute[Any]) -> Filter:
    """Rows before the moment or number."""
    kind = column.type.python_type
    return Filter(_INPUTS[kind], f"Before this {_WORDS[kind]}.", lambda row, value: row[column.key] < value)


def at_most(column: InstrumentedAttribute[Any]) -> Filter:
    """Rows up to the moment or number."""
    kind = column.type.python_type
    return Filter(_INPUTS[kind], f"Up to this {_WORDS[kind]}.", lambda row, value: row[column.key] <= value)


def finder(function: str, walked: Condition | None = None, ranking: str | None = None) -> Filter:
    """Rows that a finder returns: for operators that row security keeps from an index, such as full-text search.

    walked: the same asked of one row, for lists that are walked in their order. ranking: `Filter.ranking_finder`.
    """
    meaning = "With these words; `-` before one excludes it, quotes keep them together."
    is_scattered = walked is not None
    return Filter(str, meaning, finder=function, ranking_finder=ranking, is_scattered=is_scattered, walked=walked)


def scattered(declared: Filter, walked: Condition | None = None) -> Filter:
    """The same filter, told that what it finds lies anywhere in the first order (`Filter.is_scattered`)."""
    return replace(declared, is_scattered=True, walked=walked)


def probe(statement: Select[Any]) -> ColumnElement[bool]:
    """Whether a statement about a row finds anything, asked of each row: OFFSET keeps PostgreSQL from making a join of it,
    which it then orders by how rare it takes everything for.
    """
    return statement.offset(literal_column("0")).exists()


def measure_of(filter_name: str) -> str:
    """The column of a page that holds how well its rows match a filter that ranks."""
    return f"measure_{filter_name}"


@dataclass(frozen=True)
class Order:
    """An order of a list: columns that end in the id, all in one direction.

    ranked_by: the filter whose rank comes first; the order then needs that filter. is_alone: whether no filter's index
    ends in it. leads: over the table and a moment, which rows come before all others then; the first column is then a
    moment, too. Cursors hold the moment at which the first page was read, so that whole lists are as they were then.
    """

    columns: tuple[str, ...]
    descending: bool = False
    ranked_by: str | None = None
    is_alone: bool = False
    leads: Condition | None = None


def ascending(*columns: InstrumentedAttribute[Any], leads: Condition | None = None) -> Order:
    """From the smallest; the id is added as the last key. leads: which rows come before all others (`Order`)."""
    return Order((*(column.key for column in columns), "id"), leads=leads)


def descending(*columns: InstrumentedAttribute[Any], is_alone: bool = False) -> Order:
    """From the largest; the id is added as the last key."""
    return Order((*(column.key for column in columns), "id"), descending=True, is_alone=is_alone)


def best_match(filter_name: str) -> Order:
    """The best match of a finder filter first."""
    return Order(("id",), descending=True, ranked_by=filter_name)


CHECK_LENGTH = 8
"""Characters of the checksum at the end of a cursor."""
SEPARATOR = "\x1f"
"""Between the parts of a cursor; it cannot occur in the values of an order key that we write."""


def _checksum(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:CHECK_LENGTH]


def cursor_tag(list_name: str, order: str, selection: dict[str, object]) -> str:
    """What ties a cursor to its list, order and filter: a cursor of another is refused.

    selection: the filter and other arguments that choose rows, without page and size.
    """
    encoded = msgspec.json.encode([list_name, order, sorted(selection.items())], order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:12]


def write_cursor(tag: str, *keys: object) -> str:
    """The cursor of a place whose keys Python knows; `Connection` writes the same form in SQL."""
    body = SEPARATOR.join((tag, *(str(key) for key in keys)))
    return base64.b64encode(f"{body}{SEPARATOR}{_checksum(body)}".encode()).decode()


PartCursor = Annotated[str, msgspec.Meta(max_length=500, description="The `endCursor` of the part before.")]
"""Where a part of an export begins, as clients hand it back."""


def read_cursor(cursor: str, tag: str, types: tuple[type, ...], path: str) -> tuple[object, ...]:
    """The order keys inside a cursor.

    tag: of the list that is asked now. types: of the keys. path: the argument's name, for the error.
    Raises BadInput for one that is damaged or was made for another list, order or filter.
    """
    try:
        text = base64.b64decode(cursor.encode(), validate=True).decode()
        body, check = text.rsplit(SEPARATOR, 1)
        found_tag, *keys = body.split(SEPARATOR)
        if check != _checksum(body) or len(keys) != len(types):
            raise ValueError("damaged")
        values = tuple(_READERS[kind](key) for kind, key in zip(types, keys, strict=True))
    except (ValueError, binascii.Error):
        raise BadInput.field(
            path, "is no cursor of ours; hand back an endCursor or an edge's cursor unchanged"
        ) from None
    if found_tag != tag:
        raise BadInput.field(path, "is a cursor of another list, order or filter; start again without it")
    return values


def _read_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_READERS: dict[type, Callable[[str], object]] = {
    UUID: UUID,
    str: str,
    int: int,
    float: float,
    datetime: _read_moment,
}
LED_BY: tuple[type, ...] = (datetime, int)
"""What the keys of an order with leading rows begin with: as of when, and 0 for those that lead, 1 for the rest."""
