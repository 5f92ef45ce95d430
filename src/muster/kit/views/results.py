"""What commands return besides references: payloads of plain values and references, such as a fresh session."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, get_type_hints
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Boolean, ColumnElement, DateTime, Integer, Text, Uuid
from sqlalchemy.types import TypeEngine

from muster.kit.text import camel
from muster.kit.views.compiler import Compiler
from muster.kit.views.fields import split_optional
from muster.kit.views.picks import Pick, SlotValues, brief
from muster.kit.views.view import View
from muster.kit.views.writing import json_object, or_null, write


class Payload(msgspec.Struct, kw_only=True):
    """Base of results that are more than one row: its fields are values, and views as references to rows.

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
    kinds = {key: split_optional(kind)[0] for key, kind in payload_fields(payload).items()}
    return tuple(Pick(key, key, picks=brief(kind) if is_view(kind) else ()) for key, kind in kinds.items())


def is_view(kind: Any) -> bool:
    """Whether an annotation is a view."""
    return isinstance(kind, type) and issubclass(kind, View)


def payload_values(payload: Payload) -> SlotValues:
    """A payload's values as parameters: views by the id they refer to."""
    values = {camel(name): getattr(payload, name) for name in payload.__struct_fields__}
    return SlotValues({key: value.row_id if isinstance(value, View) else value for key, value in values.items()}, ())


def compile_payload(compiler: Compiler, payload: type[Payload], pick: Pick) -> ColumnElement[str]:
    """A payload as JSON text; its values are the parameters of slot 0."""
    fields = payload_fields(payload)

    def value(inner: Pick) -> str | ColumnElement[str]:
        if inner.name == "__typename":
            return f'"{payload.type_name()}"'
        kind, _ = split_optional(fields[inner.name])
        if is_view(kind):
            return compiler.reference(kind, inner, compiler.bind(0, inner.name, Uuid()))
        return or_null(write(compiler.bind(0, inner.name, _sql_type(kind)), kind))

    return json_object((inner.key, value(inner)) for inner in pick.picks)


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
