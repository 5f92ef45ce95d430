"""Operations: one entry of the document for each declared command and query."""

from typing import Any

import msgspec
from msgspec.inspect import is_struct_type

from muster.kit.arguments import Parameter
from muster.kit.caller import Allow
from muster.kit.commands.command import Command
from muster.kit.documentation import meaning_of_type
from muster.kit.endpoints.openapi.examples import Schema, example_of
from muster.kit.endpoints.openapi.refusals import RATES, problem_responses, refusals_of
from muster.kit.endpoints.openapi.schemas import Schemas
from muster.kit.endpoints.openapi.security import ways_in
from muster.kit.endpoints.rest.conditions import HEADER
from muster.kit.endpoints.rest.include import COUNT, NAME, relations
from muster.kit.endpoints.rest.location import location_of, read_back, stands_at
from muster.kit.endpoints.tags import LONGEST, SHAPE
from muster.kit.views.page_arguments import order_names
from muster.kit.views.paging import DEFAULT_SIZE, LARGEST_SIZE, Filter
from muster.kit.views.query import Query
from muster.kit.views.results import Payload
from muster.kit.views.view import View

_TENANT: Schema = {"$ref": "#/components/parameters/Tenant"}
_IF_NONE_MATCH: Schema = {"$ref": "#/components/parameters/IfNoneMatch"}
_IDEMPOTENCY_KEY: Schema = {"$ref": "#/components/parameters/IdempotencyKey"}
_EVERY_ANSWER: dict[str, Schema] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}, **RATES}
_ETAG: dict[str, Schema] = {"ETag": {"$ref": "#/components/headers/ETag"}}
_REPLAYED: dict[str, Schema] = {"Idempotency-Replayed": {"$ref": "#/components/headers/IdempotencyReplayed"}}
_LOCATION: dict[str, Schema] = {"Location": {"$ref": "#/components/headers/Location"}}
_WORDS = {
    200: "The answer.",
    201: "Made by this request.",
    202: "Taken in hand; what happens next comes another way.",
    204: "Done; there is nothing to tell.",
}


_LISTED: dict[str, Schema] = {"array": {"style": "form", "explode": False}}
"""How a list stands in an address: with commas between its members."""


class Operations:
    """Makes the operations of one document.

    responses: the components that they share, filled on the way.
    """

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self.responses: dict[str, Schema] = {}

    def of(self, declared: Command | Query) -> Schema:
        """The operation of a declaration."""
        parameters = [*self._arguments(declared), *([] if declared.allow is Allow.WHOEVER else [_TENANT])]
        if isinstance(declared, Query):
            parameters += self._paging(declared.view) if declared.paged else []
            parameters += [*self._include(declared.view), _IF_NONE_MATCH]
        else:
            parameters += [*([_IDEMPOTENCY_KEY] if declared.takes_key else []), *_if_match(declared)]
        answers = self._reads(declared) if isinstance(declared, Query) else self._results(declared)
        found: Schema = {
            "operationId": declared.name,
            "summary": declared.summary,
            "description": declared.documentation.description or declared.summary,
            "tags": [declared.documentation.slice],
            "parameters": parameters,
            "responses": {**answers, **problem_responses(refusals_of(declared), self.responses)},
            "security": _security(declared),
        }
        if isinstance(declared, Command) and (body := self._body(declared)) is not None:
            found["requestBody"] = body
        if declared.deprecated is not None:
            found["deprecated"] = True
            found["description"] += f"\n\nDeprecated: {declared.deprecated.reason}"
        return found

    def _arguments(self, declared: Command | Query) -> list[Schema]:
        """The arguments that stand in the path or the query string."""
        route = declared.route
        found = []
        for each in declared.arguments.parameters:
            in_path = each.name in route.places
            if not in_path and isinstance(declared, Command) and route.sends_body:
                continue
            schema = self._schemas.input(each.type)
            made = self._parameter(each.key, "path" if in_path else "query", schema, required=in_path or _must(each))
            if told := declared.documentation.arguments.get(each.name) or meaning_of_type(each.type):
                made["description"] = told
            found.append(made)
        return found

    def _paging(self, view: type[View]) -> list[Schema]:
        """What every list takes, and the filters of this one, which stand flat in the address."""
        size = {"type": "integer", "minimum": 0, "maximum": LARGEST_SIZE}
        found: dict[str, tuple[str, Schema]] = {
            "first": (f"How many, from the start; {DEFAULT_SIZE} when absent.", size),
            "after": ("With `first`: what comes after this cursor.", {"type": "string"}),
            "last": ("How many, from the end.", size),
            "before": ("With `last`: what comes before this cursor.", {"type": "string"}),
        }
        if orders := order_names(view):
            found["order"] = (f"{orders[0]} when absent.", {"type": "string", "enum": list(orders)})
        found[COUNT] = ("Whether to say how many there are in all; false when absent.", {"type": "boolean"})
        for name, each in view.filters.items():
            found |= self._filter(name, each)
        return [
            {
                **self._parameter(name, "query", schema, required=False),
                "description": told,
                **_LISTED.get(str(schema.get("type")), {}),
            }
            for name, (told, schema) in found.items()
        ]

    def _filter(self, name: str, declared: Filter) -> dict[str, tuple[str, Schema]]:
        """A filter as an address has it; of an object each member by itself, such as `near[latitude]`, since the
        reference would send an example of a whole one along, wanted or not.
        """
        if not is_struct_type(declared.type):
            return {name: (declared.meaning, self._schemas.input(declared.type))}
        members = self._schemas.members(declared.type)
        return {
            f"{name}[{key}]": (f"{declared.meaning} {each.pop('description')}", each) for key, each in members.items()
        }

    def _include(self, view: type[View]) -> list[Schema]:
        """The relations that a read may be widened along, and the fields that are for who asks."""
        names = relations(view)
        if not names:
            return []
        made = self._parameter(
            NAME, "query", {"type": "array", "items": {"type": "string", "enum": list(names)}}, required=False
        )
        told = "Relations to show whole, and what is not shown else; of a list the first page."
        return [{**made, "description": told, **_LISTED["array"]}]

    def _parameter(self, key: str, place: str, schema: Schema, *, required: bool) -> Schema:
        # In an address nothing stands for null: what is not meant is left out.
        given = next((each for each in schema.get("anyOf", []) if each.get("type") != "null"), schema)
        # In its schema, since the reference sends an `example` beside it along, wanted or not.
        examples = [example_of(given, self._schemas.found, key=key)]
        return {"name": key, "in": place, "required": required, "schema": {**given, "examples": examples}}

    def _body(self, command: Command) -> Schema | None:
        """A body is the `input` itself where a command has one, else an object of the arguments."""
        if not command.route.sends_body:
            return None
        inside = [each for each in command.arguments.parameters if each.name not in command.route.places]
        if not inside:
            return None
        schema = self._body_schema(command, inside)
        content = {"schema": schema, "example": example_of(schema, self._schemas.found)}
        return {"required": any(_must(each) for each in inside), "content": {"application/json": content}}

    def _body_schema(self, command: Command, inside: list[Parameter]) -> Schema:
        if inside[0].name == "input":
            return self._schemas.input(inside[0].type)
        properties = {}
        for each in inside:
            told = command.documentation.arguments.get(each.name)
            schema = self._schemas.input(each.type)
            properties[each.key] = {**schema, "description": told} if told else schema
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [each.key for each in inside if _must(each)],
            "properties": properties,
        }

    def _reads(self, query: Query) -> dict[str, Schema]:
        schema = self._schemas.page(query.view) if query.paged else self._schemas.view(query.view)
        unchanged = {"description": "Nothing has changed.", "headers": {**_EVERY_ANSWER, **_ETAG}}
        return {"200": self._answer(200, schema, _ETAG), "304": unchanged}

    def _results(self, command: Command) -> dict[str, Schema]:
        returns: Any = command.returns
        replayed = _REPLAYED if command.takes_key else {}
        if returns is type(None):
            return {"204": {"description": _WORDS[204], "headers": {**_EVERY_ANSWER, **replayed}}}
        schema = self._schemas.payload(returns) if issubclass(returns, Payload) else self._schemas.view(returns)
        query = location_of(command)
        of_status = {
            200: _ETAG if query is not None and stands_at(query, command) else {},
            201: {**_LOCATION, **_ETAG} if query is not None else {},
        }
        return {
            str(status): self._answer(status, schema, {**of_status.get(status, {}), **replayed})
            for status in command.answers
        }

    def _answer(self, status: int, schema: Schema, headers: dict[str, Schema]) -> Schema:
        example = example_of(schema, self._schemas.found)
        return {
            "description": _WORDS[status],
            "headers": {**_EVERY_ANSWER, **headers},
            "content": {"application/json": {"schema": schema, "example": example}},
        }


def _if_match(command: Command) -> list[Schema]:
    query = read_back(command)
    if query is None:
        return []
    told = f"Do it only while what `GET {query.route.template}` gave with this `ETag` is so; `*` is while there is any."
    schema = {"type": "string", "maxLength": LONGEST, "pattern": SHAPE, "examples": ["*"]}
    return [{"name": HEADER, "in": "header", "required": False, "description": told, "schema": schema}]


def _security(declared: Command | Query) -> list[Schema]:
    if declared.allow is Allow.WHOEVER:
        return []
    return ways_in(is_safe=isinstance(declared, Query), is_open=declared.allow is Allow.ANYONE)


def _must(parameter: Parameter) -> bool:
    return parameter.default is msgspec.NODEFAULT
