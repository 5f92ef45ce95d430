"""Arguments: a function's keyword arguments, read from what a client sent and checked against their types."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec

from muster.kit.errors import Invalid
from muster.kit.misfits import A_MOMENT, misfits
from muster.kit.text import camel, refuse_unstorable

Instant = Annotated[datetime, msgspec.Meta(tz=True, description="A moment with its offset, in ISO 8601")]
"""A moment; one without an offset is refused."""


class Input(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of the objects that clients send. Unknown fields are refused with their path."""


@dataclass(frozen=True)
class Parameter:
    """One argument: its name in Python and on the wire, its type, and its default (`msgspec.NODEFAULT` if none)."""

    name: str
    key: str
    type: Any
    default: Any


class Arguments:
    """The keyword-only arguments of a declared function, less those in `without`."""

    def __init__(self, function: Callable[..., object], *, without: frozenset[str] = frozenset()) -> None:
        hints = get_type_hints(function, include_extras=True)
        self.parameters = tuple(
            Parameter(
                name,
                camel(name),
                hints[name],
                msgspec.NODEFAULT if parameter.default is inspect.Parameter.empty else parameter.default,
            )
            for name, parameter in inspect.signature(function).parameters.items()
            if name not in without
        )
        self.struct = msgspec.defstruct(
            f"{function.__name__}_arguments",
            [
                (each.name, each.type) if each.default is msgspec.NODEFAULT else (each.name, each.type, each.default)
                for each in self.parameters
            ],
            rename="camel",
            forbid_unknown_fields=True,
            kw_only=True,
            frozen=True,
        )

    def read(self, raw: dict[str, object], *, from_text: bool = False) -> dict[str, Any]:
        """The arguments by their Python names.

        raw: by their names on the wire. from_text: every value is text, as in an address.
        Raises Invalid with the path of each field that does not fit, BadInput for text that cannot be stored.
        """
        values = read_struct(raw, self.struct, from_text=from_text)
        return {each.name: getattr(values, each.name) for each in self.parameters}


StructT = TypeVar("StructT", bound=msgspec.Struct)


def read_struct(raw: dict[str, object], struct: type[StructT], *, from_text: bool = False) -> StructT:
    """What a client sent as a struct. Arguments and errors as of `Arguments.read`."""
    refuse_unstorable(raw)
    values = fitting(raw, struct, from_text=from_text)
    _refuse_odd_values(values, raw)
    return values


def fitting(raw: dict[str, object], struct: type[StructT], *, from_text: bool = False) -> StructT:
    """What a client sent as a struct without moments, whose text is checked by whoever uses it. Raises Invalid."""
    try:
        return msgspec.convert(raw, struct, strict=not from_text)
    except msgspec.ValidationError:
        raise Invalid.of(misfits(raw, struct, strict=not from_text)) from None


def _refuse_odd_values(value: object, raw: Any, path: str = "") -> None:
    """Refuse what msgspec takes and we do not: moments that are numbers written as text or leave the calendar in UTC,
    and `null` written as text, since in an address nothing stands for null.
    """
    if isinstance(value, msgspec.Struct):
        for name, key in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            if key in raw:
                _refuse_odd_values(getattr(value, name), raw[key], f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _refuse_odd_values(each, raw[index], f"{path}[{index}]")
    elif value is None and isinstance(raw, str):
        raise Invalid.field(path, "must have a value; leave it out where nothing is meant")
    elif isinstance(value, datetime):
        if raw[4:5] != "-":
            raise Invalid.field(path, f"must be {A_MOMENT}")
        try:
            value.astimezone(UTC)
        except OverflowError:
            raise Invalid.field(path, "must be within the years 1 and 9999 in UTC") from None
