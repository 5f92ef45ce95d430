"""The OpenAPI 3.1 document, from what the slices declare."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from muster import __version__
from muster.kit.caller import Allow
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.db.tables import Json
from muster.kit.views.fields import Leaf, ToOne, fields_of, split_optional
from muster.kit.views.page_arguments import order_names
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.results import Payload, payload_fields
from muster.kit.views.view import View

_REF = "#/components/schemas/{name}"
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457), with a stable code and the fields concerned.",
    "required": ["type", "title", "status", "code", "detail", "requestId", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "requestId": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": _REF.format(name="FieldProblem")}},
    },
}
_FIELD_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong with one field.",
    "required": ["path", "code", "message"],
    "properties": {"path": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
}
_PAGE_INFO: dict[str, Any] = {
    "type": "object",
    "description": "Where a page ends in its list.",
    "required": ["endCursor", "hasNextPage"],
    "properties": {"endCursor": {"type": ["string", "null"]}, "hasNextPage": {"type": "boolean"}},
}
_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    Json: {},
    list[str]: {"type": "array", "items": {"type": "string"}},
}


def openapi_document() -> str:
    """The document as JSON text, the same for the same declarations."""
    # What several answers share has a name of its own, so that generated clients have one type for it.
    schemas: dict[str, Any] = {"Problem": _PROBLEM, "FieldProblem": _FIELD_PROBLEM, "PageInfo": _PAGE_INFO}
    paths: dict[str, Any] = {}
    everything: list[Command | Query] = [*COMMANDS.values(), *QUERIES.values()]
    for declared in everything:
        operation = _command(declared, schemas) if isinstance(declared, Command) else _query(declared, schemas)
        paths.setdefault(declared.route.template, {})[declared.route.method.lower()] = operation
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Muster", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _operation(
    declared: Command | Query, responses: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": declared.name,
        "summary": declared.summary,
        "parameters": [*parameters, _TENANT],
        "responses": responses | {"default": _problem_response()},
    }
    if declared.allow is not Allow.ANYONE:
        found["security"] = [{"bearer": []}]
    if declared.deprecated is not None:
        found["deprecated"] = True
    return found


_TENANT: dict[str, Any] = {
    "name": "X-Tenant",
    "in": "header",
    "description": "Id or slug of the community; the default one when absent.",
    "schema": {"type": "string"},
}


def _command(command: Command, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters, body = [], {}
    for each in command.arguments.parameters:
        schema = _input_schema(each.type, schemas)
        required = each.default is msgspec.NODEFAULT
        if each.name in command.route.places:
            parameters.append({"name": each.key, "in": "path", "required": True, "schema": schema})
        elif not command.route.sends_body:
            parameters.append({"name": each.key, "in": "query", "required": required, "schema": schema})
        else:
            body[each.key] = (schema, required)
    operation = _operation(command, _results(command.returns, schemas), parameters)
    if body:
        operation["requestBody"] = {
            "required": any(required for _, required in body.values()),
            "content": {"application/json": {"schema": _body_schema(body)}},
        }
    return operation


def _body_schema(body: dict[str, tuple[Any, bool]]) -> dict[str, Any]:
    """A body is the `input` itself where a command has one, else an object of the arguments."""
    if "input" in body:
        schema: dict[str, Any] = body["input"][0]
        return schema
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key for key, (_, required) in body.items() if required],
        "properties": {key: schema for key, (schema, _) in body.items()},
    }


def _query(query: Query, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {
            "name": each.key,
            "in": "path" if each.name in query.route.places else "query",
            "required": each.name in query.route.places,
            "schema": _input_schema(each.type, schemas),
        }
        for each in query.arguments.parameters
    ]
    if not query.paged:
        return _operation(query, {"200": _json(_view(query.view, schemas))}, parameters)
    parameters += _page_parameters(query.view, schemas)
    page = {
        "type": "object",
        "required": ["items", "pageInfo"],
        "properties": {
            "items": {"type": "array", "items": _view(query.view, schemas)},
            "pageInfo": {"$ref": _REF.format(name="PageInfo")},
        },
    }
    name = f"{query.view.type_name()}Page"
    schemas[name] = page
    return _operation(query, {"200": _json({"$ref": _REF.format(name=name)})}, parameters)


def _page_parameters(view: type[View], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    size = {"type": "integer", "minimum": 0, "maximum": 100}
    found: dict[str, Any] = {
        "first": size,
        "after": {"type": "string"},
        "last": size,
        "before": {"type": "string"},
    }
    if orders := order_names(view):
        found["order"] = {"enum": list(orders)}
    found |= {name: _input_schema(each.type, schemas) for name, each in view.filters.items()}
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in found.items()]


def _input_schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    (schema,), components = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    schemas.update(components)
    return schema


def _results(returns: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if returns is type(None):
        return {"204": {"description": "Done."}}
    if issubclass(returns, Payload):
        return {str(returns.status): _json(_payload(returns, schemas))}
    answer = _json(_view(returns, schemas))
    return {"200": answer, "201": {**answer, "description": "Made by this request."}}


def _payload(payload: type[Payload], schemas: dict[str, Any]) -> dict[str, Any]:
    name = payload.type_name()
    schemas[name] = _object({key: _annotation(kind, schemas) for key, kind in payload_fields(payload).items()})
    return {"$ref": _REF.format(name=name)}


def _annotation(annotation: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    kind, nullable = split_optional(annotation)
    if isinstance(kind, type) and issubclass(kind, View):
        return _or_null(_brief(kind, schemas), nullable)
    return _or_null(_scalar(kind, schemas), nullable)


def _view(view: type[View], schemas: dict[str, Any]) -> dict[str, Any]:
    name = view.type_name()
    if name not in schemas:
        schemas[name] = _object(
            {
                field.key: _or_null(
                    _brief(field.target, schemas) if isinstance(field, ToOne) else _scalar(field.type, schemas),
                    field.nullable,
                )
                for field in fields_of(view).values()
                if isinstance(field, Leaf | ToOne)
            }
        )
    return {"$ref": _REF.format(name=name)}


def _brief(view: type[View], schemas: dict[str, Any]) -> dict[str, Any]:
    name = f"{view.type_name()}Brief"
    fields = [fields_of(view)[key] for key in view.brief]
    schemas[name] = _object(
        {
            field.key: _or_null(_scalar(field.type, schemas), field.nullable)
            for field in fields
            if isinstance(field, Leaf)
        }
    )
    return {"$ref": _REF.format(name=name)}


def _scalar(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _input_schema(kind, schemas)
    return _SCALARS[kind]


def _or_null(schema: dict[str, Any], nullable: bool) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if nullable else schema


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "The answer.", "content": {"application/json": {"schema": schema}}}


def _problem_response() -> dict[str, Any]:
    schema = {"$ref": _REF.format(name="Problem")}
    return {"description": "What went wrong.", "content": {"application/problem+json": {"schema": schema}}}
