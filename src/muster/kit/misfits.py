"""Misfits: each field of what a client sent that does not fit its type, in words for who sent it."""

import re
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from muster.kit.errors import FieldProblem

_MOST = 20

A_MOMENT = "a moment in ISO 8601, such as 2031-05-01T18:00:00Z"
"""What a client is to send where a moment is wanted."""
# What msgspec calls things, and what people call them.
_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": A_MOMENT,
    "date": "a day in ISO 8601, such as 2031-05-01",
    "uuid": "a UUID",
}
_LENGTHS = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("entry", "entries")}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_PLAINER = {
    "Invalid UUID": "must be a UUID",
    "Invalid RFC3339 encoded datetime": f"must be {A_MOMENT}",
    "Invalid RFC3339 encoded date": f"must be {_KINDS['date']}",
    "Expected `datetime` with a timezone component": "needs an offset from UTC, such as the Z in 2031-05-01T18:00:00Z",
    r"Expected `str` matching regex '\\S'": "must not be blank",
    r"Expected `str` matching regex '^\\S'": "must not begin with a blank",
    "Integer value out of range": "is too large a number",
    "Number out of range": "is too large a number",
}
_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
_KIND = re.compile(r"Expected `(?P<kinds>[a-z |]+)`, got `(?P<got>[a-z]+)`")
_LENGTH = re.compile(r"Expected `(?P<kind>str|array|object)` of length (?P<bound>[<>]=) (?P<length>\d+)")
_BOUND = re.compile(r"Expected `(?:int|float)` (?P<bound>[<>]=?) (?P<limit>\S+)")
_PATTERN = re.compile(r"Expected `str` matching regex '.*'", re.DOTALL)


def misfits(raw: dict[str, object], struct: type[msgspec.Struct], *, strict: bool) -> tuple[FieldProblem, ...]:
    """The fields that do not fit a struct, with their paths, the first 20 of them.

    raw: by the names on the wire. strict: nothing else is read out of text.
    """
    return tuple(islice(_of_struct(raw, struct, "", strict=strict), _MOST))


def _of_struct(
    raw: dict[str, object], struct: type[msgspec.Struct], path: str, *, strict: bool
) -> Iterator[FieldProblem]:
    fields = {each.encode_name: each for each in msgspec.structs.fields(struct)}
    for key, value in raw.items():
        if key in fields:
            yield from _of_value(value, fields[key].type, _below(path, key), strict=strict)
        elif struct.__struct_config__.forbid_unknown_fields:
            yield FieldProblem(_below(path, key), "UNKNOWN_FIELD", "is not a field here")
    for key, field in fields.items():
        if field.required and key not in raw:
            yield FieldProblem(_below(path, key), "REQUIRED", "is required")


def _of_value(value: object, type_: Any, path: str, *, strict: bool) -> Iterator[FieldProblem]:
    try:
        msgspec.convert(value, type_, strict=strict)
    except msgspec.ValidationError as error:
        within = _within(value, type_, path, strict=strict)
        # Where nothing within is wrong by itself, the whole is: a list that is too long.
        yield next(within, None) or _problem(error, type_, path)
        yield from within


def _within(value: object, type_: Any, path: str, *, strict: bool) -> Iterator[FieldProblem]:
    """What does not fit inside of an object or a list."""
    for each in _alternatives(type_):
        if isinstance(value, dict) and isinstance(each, type) and issubclass(each, msgspec.Struct):
            yield from _of_struct(value, each, path, strict=strict)
        elif isinstance(value, list) and get_origin(each) is list:
            for index, item in enumerate(value):
                yield from _of_value(item, get_args(each)[0], f"{path}[{index}]", strict=strict)


def _alternatives(type_: Any) -> Iterator[Any]:
    """The types that a type allows, without their constraints."""
    if get_origin(type_) is Annotated:
        yield from _alternatives(get_args(type_)[0])
    elif get_origin(type_) in (Union, UnionType):
        for each in get_args(type_):
            yield from _alternatives(each)
    else:
        yield type_


def _problem(error: msgspec.ValidationError, type_: Any, path: str) -> FieldProblem:
    match = _AT.match(str(error))
    what, below = (match["what"], match["path"]) if match else (str(error), None)
    return FieldProblem(f"{path}{(below or '').removeprefix('$')}", "INVALID", _in_words(what, type_))


def _in_words(what: str, type_: Any) -> str:
    """What msgspec says, for a reader who does not know it."""
    if what in _PLAINER:
        return _PLAINER[what]
    if found := _KIND.fullmatch(what):
        wanted = " or ".join(_KINDS.get(each, each) for each in found["kinds"].split(" | "))
        return f"must be {wanted}, not {_KINDS.get(found['got'], found['got'])}"
    if found := _LENGTH.fullmatch(what):
        length, (one, more) = found["length"], _LENGTHS[found["kind"]]
        return f"must have {_BOUNDS[found['bound']]} {length} {one if length == '1' else more}"
    if found := _BOUND.fullmatch(what):
        return f"must be {_BOUNDS[found['bound']]} {found['limit'].removesuffix('.0')}"
    if _PATTERN.fullmatch(what):
        example = next(_examples(type_), None)
        return "has not the form it must have" if example is None else f"must have a form such as {example}"
    if what.startswith("Invalid enum value"):
        return f"must be one of {', '.join(_values(type_))}"
    return what


def _values(type_: Any) -> Iterator[str]:
    for kind in _alternatives(type_):
        if isinstance(kind, type) and issubclass(kind, Enum):
            yield from (str(each.value) for each in kind)


def _examples(type_: Any) -> Iterator[object]:
    if get_origin(type_) is Annotated:
        for constraint in get_args(type_)[1:]:
            yield from getattr(constraint, "examples", None) or ()
    for within in get_args(type_):
        yield from _examples(within)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
