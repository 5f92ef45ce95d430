"""JSON schemas of what comes in and goes out, each under a name of its own."""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args
from uuid import UUID

import msgspec

from muster.kit.db.tables import Json
from muster.kit.documentation import meanings_of
from muster.kit.endpoints.openapi.examples import Schema, example_of
from muster.kit.endpoints.rest.include import COUNT, relations
from muster.kit.views.fields import Field, Leaf, ToMany, ToOne, ToUnion, fields_of, is_widening, split_optional
from muster.kit.views.results import Payload, listed_payload, payload_fields
from muster.kit.views.view import View

_PROBLEM: Schema = {
    "type": "object",
    "description": "What went wrong (RFC 9457), with a stable code and the fields concerned.",
    "required": ["type", "title", "status", "code", "detail", "requestId", "errors"],
    "properties": {
        "type": {"type": "string", "description": "The kind of problem, one for each code."},
        "title": {"type": "string", "description": "The kind of problem in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "code": {"type": "string", "description": "The kind of problem for programs; it does not change."},
        "detail": {"type": "string", "description": "What is wrong here and what to do about it, for people."},
        "requestId": {"type": "string", "description": "Finds this request in the operator's logs."},
        "errors": {
            "type": "array",
            "description": "The fields concerned; empty when it is about none.",
            "items": {"$ref": "#/components/schemas/FieldProblem"},
        },
    },
}
_FIELD_PROBLEM: Schema = {
    "type": "object",
    "description": "What is wrong with one field of the input.",
    "required": ["path", "code", "message"],
    "properties": {
        "path": {"type": "string", "description": "Where, such as `answers[0].text`; empty for the input as a whole."},
        "code": {"type": "string", "description": "What is wrong with it, for programs."},
        "message": {"type": "string", "description": "What is wrong with it, for people, to be read after its name."},
    },
}
_HAS_NEXT: Schema = {"type": "boolean", "description": "Whether more follows."}
_PAGE_INFO: Schema = {
    "type": "object",
    "description": "Where a page ends.",
    "required": ["endCursor", "hasNextPage"],
    "properties": {
        "endCursor": {"type": ["string", "null"], "description": "Give it as `after` for the next page."},
        "hasNextPage": _HAS_NEXT,
    },
}
_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    Json: {"description": "Any JSON."},
    list[str]: {"type": "array", "items": {"type": "string"}},
    list[UUID]: {"type": "array", "items": {"type": "string", "format": "uuid"}},
}


class Schemas:
    """The named schemas of one document, made when they are first asked for."""

    def __init__(self) -> None:
        self.found: dict[str, Schema] = {"Problem": _PROBLEM, "FieldProblem": _FIELD_PROBLEM, "PageInfo": _PAGE_INFO}

    def input(self, kind: Any) -> Schema:
        """What clients send for an argument of this type."""
        (schema,), components = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
        self.found |= {name: _for_generators(each) for name, each in components.items()}
        for struct in structs_in(kind):
            described(self.found[struct.__name__]["properties"], struct)
        found: Schema = schema
        return found

    def members(self, struct: type[msgspec.Struct]) -> dict[str, Schema]:
        """The members of an object by their names, for where each stands by itself."""
        _, components = msgspec.json.schema_components([struct])
        found: dict[str, Schema] = components[struct.__name__]["properties"]
        described(found, struct)
        return found

    def view(self, view: type[View]) -> Schema:
        """One row as REST gives it."""
        fields = fields_of(view).values()
        shown = {each.key for each in fields if not is_widening(each) or each.key in relations(view)}
        always = [each.key for each in fields if not is_widening(each)]

        def properties() -> Schema:
            described = {field.key: self._field(view, field) for field in fields if field.key in shown}
            for key in view.deprecated.keys() & described.keys():
                described[key] = {**described[key], "deprecated": True}
            return described

        return self._object(view.type_name(), view, properties, always)

    def page(self, view: type[View]) -> Schema:
        """A page of rows."""
        name = f"{view.type_name()}Page"
        self.found[name] = {
            "type": "object",
            "required": ["items", "pageInfo"],
            "properties": {
                "items": {"type": "array", "description": "In the order asked for.", "items": self.view(view)},
                "pageInfo": {"$ref": "#/components/schemas/PageInfo"},
                COUNT: {"type": "integer", "description": f"How many there are in all; with `{COUNT}=true`."},
            },
        }
        return _ref(name)

    def payload(self, payload: type[Payload]) -> Schema:
        """A result that is more than one row."""

        def properties() -> Schema:
            return {key: self._annotation(kind) for key, kind in payload_fields(payload).items()}

        return self._object(payload.type_name(), payload, properties)

    def _field(self, view: type[View], field: Field) -> Schema:
        if isinstance(field, ToMany):
            return self._beginning(field.target)
        if isinstance(field, ToOne):
            return self._relation(field, can_be_whole=field.key in relations(view))
        if isinstance(field, ToUnion):
            return {"anyOf": [*(self._kind(each) for each in field.target.views.values()), {"type": "null"}]}
        schema = _or_null(self._scalar(field.type), field.nullable)
        return {**schema, "examples": [view.example[field.key]]} if field.key in view.example else schema

    def _relation(self, field: ToOne, *, can_be_whole: bool) -> Schema:
        brief = self._brief(field.target)
        if not can_be_whole:
            return _or_null(brief, field.nullable)
        either = {"anyOf": [self.view(field.target), brief, *([{"type": "null"}] if field.nullable else [])]}
        told = f"In brief; whole with `include={field.key}`."
        return {**either, "description": told, "examples": [example_of(brief, self.found)]}

    def _beginning(self, view: type[View]) -> Schema:
        """The first page of a relation that is included."""
        name = f"{view.type_name()}Beginning"
        if name not in self.found:
            made = self.found[name] = {"type": "object", "required": ["items", "pageInfo"]}
            made["description"] = (
                "The first of them, where they are included; the others are at the list's own address."
            )
            made["properties"] = {
                "items": {"type": "array", "description": "The first of them.", "items": self.view(view)},
                "pageInfo": {
                    "type": "object",
                    "required": ["hasNextPage"],
                    "properties": {"hasNextPage": _HAS_NEXT},
                },
            }
        return _ref(name)

    def _brief(self, view: type[View]) -> Schema:
        def properties() -> Schema:
            fields = [fields_of(view)[key] for key in view.brief]
            return {field.key: self._field(view, field) for field in fields if isinstance(field, Leaf)}

        return self._object(f"{view.type_name()}Brief", view, properties)

    def _kind(self, view: type[View]) -> Schema:
        """A row of a union, in brief."""

        def properties() -> Schema:
            fields = [fields_of(view)[key] for key in view.brief]
            kind: Schema = {"type": "string", "enum": [view.type_name()]}
            return {"type": kind, **{field.key: self._field(view, field) for field in fields}}

        return self._object(f"{view.type_name()}Kind", view, properties)

    def _annotation(self, annotation: Any) -> Schema:
        kind, nullable = split_optional(annotation)
        if (listed := listed_payload(kind)) is not None:
            return {"type": "array", "items": self.payload(listed)}
        schema = self._brief(kind) if isinstance(kind, type) and issubclass(kind, View) else self._scalar(kind)
        return _or_null(schema, nullable)

    def _scalar(self, kind: Any) -> Schema:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return self.input(kind)
        return _SCALARS[kind]

    def _object(
        self, name: str, documented: type, properties: Callable[[], Schema], always: list[str] | None = None
    ) -> Schema:
        if name not in self.found:
            # Named before it is filled, since rows refer to each other.
            made = self.found[name] = {"type": "object", "description": _first_line(documented)}
            made["properties"] = described(properties(), documented)
            made["required"] = list(made["properties"]) if always is None else always
        return _ref(name)


def described(properties: dict[str, Schema], documented: type) -> dict[str, Schema]:
    """Properties with what the docstring of their class says of them."""
    for key, told in meanings_of(documented).items():
        if key in properties:
            properties[key] = {**properties[key], "description": told}
    return properties


def structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Every struct in an annotation, those within others included."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        yield from (inner for each in msgspec.structs.fields(kind) for inner in structs_in(each.type))
    yield from (inner for each in get_args(kind) for inner in structs_in(each))


def _first_line(documented: type) -> str:
    return (documented.__doc__ or "").strip().partition("\n")[0]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema, nullable: bool) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]} if nullable else schema


def _for_generators(component: Schema) -> Schema:
    """A schema as msgspec writes it, without what misleads generators of clients.

    They do not guess that an enumeration is text, and a default of null makes them forget that null is allowed.
    """
    if "enum" in component:
        return {"type": "string", **component}
    if "properties" not in component:
        return component
    properties = {
        key: {word: value for word, value in schema.items() if (word, value) != ("default", None)}
        for key, schema in component["properties"].items()
    }
    return {**component, "properties": properties}
