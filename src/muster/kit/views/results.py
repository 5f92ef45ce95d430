"""What commands return besides references: payloads of plain values and references, such as a fresh session."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, JSON, Boolean, ColumnElement, DateTime, Integer, Text, Uuid, cast, column, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import TypeEngine

from muster.kit.remembered import remembered
from muster.kit.text import camel
from muster.kit.views.compiler import Compiler
from muster.kit.views.fields import split_optional
from muster.kit.views.picks import Pick, SlotValues, brief
from muster.kit.views.view import View
from muster.kit.views.writing import constant, join, json_object, or_null, write


class Payload(msgspec.Struct, kw_only=True):
    """Base of results that are more than one row: its fields are values, views as references to rows, and lists of
    payloads that hold values alone.

    status: of the REST answer. replayable: whether its values may be kept for a repeat of the request; no secrets may.
    secrets: the fields of a session that a browser may have in a cookie instead, the access token first.
    """

    status: ClassVar[int] = 200
    replayable: ClassVar[bool] = False
    secrets: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def type_name(cls) -> str:
        """Its name in the outside world."""
        return cls.__name__


def payload_fields(payload: type[Payload]) -> dict[str, Any]:
    """The types of a payload's fields by their names on the wire."""
    hints = get_type_hints(payload)
    return {camel(name): hints[name] for name in payload.__struct_fields__}


def whole_payload(payload: type[Payload]) -> tuple[Pick, ...]:
    """The fixed selection of REST: every field, views in brief."""

    def inside(kind: Any) -> tuple[Pick, ...]:
        if (listed := listed_payload(kind)) is not None:
            return whole_payload(listed)
        return brief(kind) if is_view(kind) else ()

    kinds = {key: split_optional(kind)[0] for key, kind in payload_fields(payload).items()}
    return tuple(Pick(key, key, picks=inside(kind)) for key, kind in kinds.items())


def listed_payload(kind: Any) -> type[Payload] | None:
    """The payload that an annotation is a list of; None for any other annotation."""
    inner = get_args(kind)[0] if get_origin(kind) is list else None
    return inner if isinstance(inner, type) and issubclass(inner, Payload) else None


def is_view(kind: Any) -> bool:
    """Whether an annotation is a view."""
    return isinstance(kind, type) and issubclass(kind, View)


def payload_values(payload: Payload) -> SlotValues:
    """A payload's values as parameters: views by the id they refer to, lists of payloads as JSON."""
    listed = _lists_of(type(payload))
    values = _by_wire_name(payload)
    return SlotValues({key: _parameter(value, is_list=key in listed) for key, value in values.items()}, ())


@remembered
def _lists_of(payload: type[Payload]) -> frozenset[str]:
    """The fields of a payload that are lists of payloads."""
    return frozenset(key for key, kind in payload_fields(payload).items() if listed_payload(kind) is not None)


def _parameter(value: Any, *, is_list: bool) -> Any:
    if is_list:
        return msgspec.json.encode([_by_wire_name(each) for each in value]).decode()
    return value.row_id if isinstance(value, View) else value


def _by_wire_name(payload: Payload) -> dict[str, Any]:
    return {camel(name): getattr(payload, name) for name in payload.__struct_fields__}


def compile_payload(compiler: Compiler, payload: type[Payload], pick: Pick) -> ColumnElement[str]:
    """A payload as JSON text; its values are the parameters of slot 0."""
    fields = payload_fields(payload)

    def value(inner: Pick) -> str | ColumnElement[str]:
        if inner.name == "__typename":
            return f'"{payload.type_name()}"'
        kind, _ = split_optional(fields[inner.name])
        if is_view(kind):
            return compiler.reference(kind, inner, compiler.bind(0, inner.name, Uuid()))
        if (listed := listed_payload(kind)) is not None:
            return _list_of(listed, inner, compiler.bind(0, inner.name, Text()))
        return or_null(write(compiler.bind(0, inner.name, _sql_type(kind)), kind))

    return json_object((inner.key, value(inner)) for inner in pick.picks)


def _list_of(payload: type[Payload], pick: Pick, rows: ColumnElement[str]) -> ColumnElement[str]:
    """Payloads that are one parameter, each with what is wanted of it."""
    elements = func.json_array_elements(cast(rows, JSON()))
    given = elements.table_valued(column("row", JSON()), with_ordinality="place", name="given").render_derived()

    def value(inner: Pick) -> str | ColumnElement[str]:
        # What stands in JSON already is written as it stands.
        return f'"{payload.type_name()}"' if inner.name == "__typename" else cast(given.c.row[inner.name], Text())

    written = json_object((inner.key, value(inner)) for inner in pick.picks)
    in_order: Any = func.string_agg(written, aggregate_order_by(constant(","), given.c.place))
    return join(["[", select(func.coalesce(in_order, constant(""))).select_from(given).scalar_subquery(), "]"])


def _sql_type(kind: Any) -> TypeEngine[Any]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Text()
    return _SQL_TYPES[kind]


_SQL_TYPES: dict[Any, TypeEngine[Any]] = {
    str: Text(),
    int: Integer(),
    bool: Boolean(),
    UUID: Uuid(),
    datetime: DateTime(timezone=True),
    list[str]: ARRAY(Text()),
}
