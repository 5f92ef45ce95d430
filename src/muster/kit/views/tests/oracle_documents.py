"""Random valid documents over the whole schema, with the values of their variables."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    parse,
)

from muster.kit.endpoints.graphql.limits import DEVELOPMENT, check_shape
from muster.kit.errors import BadInput
from muster.kit.views.tests.oracle_rows import Oracle
from muster.kit.views.tests.oracle_values import CIRCLES, MOMENTS, SEARCHES
from muster.kit.views.tests.oracle_world import World

_CIRCLE = ("latitude", "longitude", "radiusKm")
_INTROSPECTION = (
    "__typename",
    "__schema { queryType { name } mutationType { fields { name } } }",
    '__type(name: "Event") { name kind fields { name isDeprecated type { name kind ofType { name } } } }',
    '__type(name: "NoSuchType") { name }',
)


@dataclass
class Written:
    """A document and its variables."""

    text: str
    variables: dict[str, Any]


@dataclass
class _Node:
    """A field with a fixed key and fixed arguments, so that it may be written several times and merge."""

    call: str
    children: list["_Node"] = field(default_factory=list)
    type_name: str = ""


class Writer:
    """Writes one document for one viewer."""

    def __init__(self, schema: GraphQLSchema, world: World, oracle: Oracle, seed: int) -> None:
        self._schema, self._oracle = schema, oracle
        self._random = random.Random(seed)
        self._people = [row["id"] for row in world.tables["users"]]
        self._names = [each for row in world.tables["usernames"] for each in (row["name"], row["name"].upper())]
        self._events = [row["id"] for row in world.tables["events"]]
        self._own_events = [*oracle.events]
        ids = {table: [row["id"] for row in rows] for table, rows in world.tables.items() if "id" in rows[0]}
        self._messages, unknown = ids["messages"], ids["users"][:1]
        teams = [*ids["teams"], *unknown]
        self._by_id = {
            "tenant": [*ids["tenants"], *unknown],
            "team": teams,
            "city": [*ids["cities"], *unknown],
            "teamRequest": ids["team_requests"],
            "auditEntry": ids["audit_rows"],
            "invitation": ids["invitations"],
            **dict.fromkeys(("topic", "topicUsage"), ids["topics"]),
        }
        self._by_key = {"teamId": teams, "invitationId": ids["invitations"]}
        self._definitions: list[str]
        self._variables: dict[str, Any]
        self._fragments: list[str]

    def document(self) -> Written:
        """One operation with everything it needs, within the limits of documents."""
        while True:
            self._definitions, self._variables, self._fragments = [], {}, []
            written = self._document()
            try:
                check_shape(parse(written.text), DEVELOPMENT)
            except BadInput:
                continue
            return written

    def _document(self) -> Written:
        root = self._schema.query_type
        if root is None:
            raise LookupError("there are no queries")
        # Small documents, most of them: ten thousand must not take long.
        depth = self._random.choice((1, 2, 2, 2, 3))
        nodes = [self._field(name, root.fields[name], depth=depth) for name in self._roots(root)]
        body = self._selection(nodes, "Query")
        for text in self._random.sample(_INTROSPECTION, k=2) if self._chance(0.1) else ():
            key = self._key()
            body = f"{body[:-1]} {key}: {text} }}"
        # Fields that were passed over may have been the only ones to use a variable.
        used = [
            each for each in self._definitions if any(each.split(":")[0] in text for text in (body, *self._fragments))
        ]
        defined = f"({', '.join(used)})" if used else ""
        name = self._random.choice(("", " Read"))
        operation = body if not defined and not name and self._chance(0.5) else f"query{name}{defined} {body}"
        return Written("\n".join([operation, *self._fragments]), self._variables)

    def _roots(self, root: GraphQLObjectType) -> list[str]:
        allowed = [name for name in root.fields if self._oracle.may_ask(name) or self._chance(0.01)]
        return self._random.choices(allowed, k=self._random.choice((1, 1, 1, 2, 3)))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _key(self) -> str:
        return self._random.choice(("a", "nodes", "_x", "id", "data", "constructor", "Ab9")) + self._number()

    def _number(self) -> str:
        return f"_{self._random.getrandbits(40):x}"

    def _field(self, name: str, found: GraphQLField, *, depth: int, renamed: bool = False) -> _Node:
        """A field with arguments and, below it, fields of its own.

        depth: how many more relations may be followed. renamed: it has to have a key of its own.
        """
        key = f"{self._key()}: " if found.args or renamed or self._chance(0.2) else ""
        node = _Node(f"{key}{name}{self._arguments(name, found)}")
        kind = get_named_type(found.type)
        if isinstance(kind, GraphQLObjectType):
            node.type_name = kind.name
            node.children = self._children(kind, depth=depth - 1 if self._is_view(kind) else depth)
        if isinstance(kind, GraphQLUnionType):
            node.type_name = kind.name
            wanted = self._random.sample(kind.types, k=self._random.randint(1, len(kind.types)))
            node.children = [_Node("__typename"), *(self._branch(each, depth=depth - 1) for each in wanted)]
        return node

    def _branch(self, kind: GraphQLObjectType, *, depth: int) -> _Node:
        """What is wanted of one type of a union. Types may have fields of one name that differ, so each has a key."""
        names = [name for name, found in kind.fields.items() if self._fits(found, depth)]
        wanted = self._random.sample(names, k=self._random.choice((1, 1, 2, 3)))
        fields = [self._field(name, kind.fields[name], depth=depth, renamed=True) for name in wanted]
        return _Node(f"... on {kind.name}", fields, kind.name)

    @staticmethod
    def _fits(found: GraphQLField, depth: int) -> bool:
        return depth > 0 or not isinstance(get_named_type(found.type), GraphQLObjectType | GraphQLUnionType)

    def _is_view(self, kind: GraphQLObjectType) -> bool:
        return "id" in kind.fields

    def _children(self, kind: GraphQLObjectType, *, depth: int) -> list[_Node]:
        names = [name for name, found in kind.fields.items() if self._fits(found, depth) or not self._is_view(kind)]
        wanted = self._random.sample(names, k=min(len(names), self._random.choice((1, 1, 2, 2, 3, 7))))
        nodes = [self._field(name, kind.fields[name], depth=depth) for name in wanted]
        if self._chance(0.15):
            nodes.insert(self._random.randrange(len(nodes) + 1), _Node("__typename"))
        return nodes

    def _selection(self, nodes: list[_Node], kind: str) -> str:
        """The fields in random wrappings: bare, in fragments, under directives, twice."""
        written = []
        for node in nodes:
            for _ in range(self._random.choice((1,) * 8 + (2,))):
                children = node.children
                if len(children) > 1 and self._chance(0.3):
                    children = self._random.sample(children, k=self._random.randint(1, len(children)))
                inner = f" {self._selection(children, node.type_name)}" if children else ""
                written.append(self._wrapped(f"{node.call}%s{inner}", kind))
        return "{ " + " ".join(written) + " }"

    def _wrapped(self, text: str, kind: str) -> str:
        directive = self._directive() if self._chance(0.12) else ""
        shape = self._random.choice(("bare",) * 8 + ("inline", "untyped", "fragment"))
        if shape == "bare":
            return text.replace("%s", directive, 1)
        text = text.replace("%s", "", 1)
        if shape == "inline":
            return f"... on {kind}{directive} {{ {text} }}"
        if shape == "untyped":
            return f"...{directive} {{ {text} }}"
        name = f"F{self._number()}"
        self._fragments.append(f"fragment {name} on {kind} {{ {text} }}")
        return f"...{name}{directive}"

    def _directive(self) -> str:
        name, value = self._random.choice((("include", True), ("skip", False), ("include", False), ("skip", True)))
        return f" @{name}(if: {self._given('Boolean!', value)})"

    def _given(self, kind: str, value: object) -> str:
        """A value as a literal or as a variable, with or without a default."""
        if self._chance(0.6):
            return _literal(value)
        name = f"v{self._number()}"
        way = self._random.choice(("sent", "sent over a default", "default"))
        nullable = kind.removesuffix("!")
        default = f" = {_literal(value)}" if way == "default" else ""
        if way == "sent over a default" and nullable == "Boolean":
            default = " = false"
        # A default makes a nullable variable fit where a value is needed.
        self._definitions.append(f"${name}: {nullable if default and value is not None else kind}{default}")
        if way != "default":
            self._variables[name] = _sent(value)
        return f"${name}"

    def _arguments(self, name: str, found: GraphQLField) -> str:
        chosen: dict[str, object] = {}
        for key in found.args:
            if name in self._by_id:
                chosen[key] = str(self._random.choice(self._by_id[name]))
            elif key in self._by_key:
                chosen[key] = str(self._random.choice(self._by_key[key]))
            elif key == "messageId" or (key == "id" and "eventId" in chosen):
                chosen[key] = self._message_id(str(chosen["eventId"]))
            elif key == "slug":
                chosen[key] = self._random.choice(("owner", "question_manager", "staff", "porter"))
            elif key in ("id", "eventId"):
                chosen[key] = self._event_id()
            elif key == "username":
                chosen[key] = self._random.choice([*self._names, *SEARCHES])
            elif key == "userId":
                chosen[key] = str(self._random.choice(self._people))
            elif key in ("unreadOnly", "ownOnly", "openOnly", "upcoming", "role", "membershipStatus") and self._chance(
                0.5
            ):
                chosen[key] = self._value(get_named_type(found.args[key].type))
        if "first" in found.args:
            chosen |= self._page(name, found, chosen)
        given = [f"{key}: {self._given(str(found.args[key].type), value)}" for key, value in chosen.items()]
        return f"({', '.join(given)})" if given else ""

    def _event_id(self) -> str:
        pool = self._own_events if self._chance(0.9) else [*self._events, *self._people[:1]]
        return str(self._random.choice(pool))

    def _message_id(self, event_id: str) -> str:
        """A message, most often one of the event's."""
        of_event = [row["id"] for row in self._oracle.chat.messages if str(row["room_id"]) == event_id]
        return str(self._random.choice(of_event if of_event and self._chance(0.9) else self._messages))

    def _page(self, name: str, found: GraphQLField, own: dict[str, object]) -> dict[str, object]:
        """Sizes, cursors, filter and order. Inner pages are small, so that nothing becomes too costly."""
        sizes = (0, 1, 2, 3) if name == "members" else (0, 1, 2, 3, 7, 20)
        backwards = self._chance(0.4)
        chosen: dict[str, object] = {"last" if backwards else "first": self._random.choice(sizes)}
        filters = self._filter(found.args.get("filter"))
        if filters is not None:
            chosen["filter"] = filters
        if "order" in found.args and self._chance(0.6):
            chosen["order"] = self._order(found.args["order"], filters or {})
        if self._chance(0.4) and (cursor := self._cursor(name, own, chosen)) is not None:
            chosen["before" if backwards else "after"] = cursor
        if name != "members" and not backwards and self._chance(0.1):
            chosen["first"] = None
        return chosen

    def _order(self, argument: GraphQLArgument, filters: dict[str, object]) -> object:
        kind = get_named_type(argument.type)
        names = [*kind.values] if isinstance(kind, GraphQLEnumType) else []
        # Cursors of BOOSTED hold when the first page was read: `events/tests/test_finding.py` reads them instead.
        needed = {"RELEVANCE": "text", "DISTANCE": "near", "BOOSTED": "never"}
        return _Enum(self._random.choice([each for each in names if each not in needed or filters.get(needed[each])]))

    def _filter(self, argument: GraphQLArgument | None) -> dict[str, object] | None:
        if argument is None or self._chance(0.5):
            return None
        kind = get_named_type(argument.type)
        if not isinstance(kind, GraphQLInputObjectType):
            raise TypeError("a filter is an input object")
        names = self._random.sample([*kind.fields], k=self._random.choice((0, 1, 1, min(2, len(kind.fields)))))
        return {name: None if self._chance(0.1) else self._filter_value(kind.fields[name].type) for name in names}

    def _filter_value(self, kind: GraphQLInputType) -> object:
        named = get_named_type(kind)
        if isinstance(kind, GraphQLList):
            return [self._value(named) for _ in range(self._random.choice((1, 1, 2, 3)))]
        return self._value(named)

    def _value(self, kind: object) -> object:
        if isinstance(kind, GraphQLEnumType):
            return _Enum(self._random.choice([*kind.values]))
        makers: dict[str, Callable[[], object]] = {
            "UUID": lambda: str(self._random.choice(self._people[:4])),
            "Int": lambda: self._random.randrange(24),
            "String": lambda: self._random.choice(SEARCHES),
            "DateTime": self._moment,
            "Boolean": lambda: self._chance(0.5),
            "NearCityInput": self._around_city,
            "NearInput": lambda: dict(zip(_CIRCLE, self._random.choice(CIRCLES), strict=True)),
        }
        return makers[str(kind)]()

    def _around_city(self) -> dict[str, object]:
        """A circle whose distances the world knows; sometimes around what is no city."""
        city, circle = self._random.choice([*zip(self._by_id["city"], [*CIRCLES, CIRCLES[0]], strict=True)])
        return {"city": str(city), "radiusKm": circle[2]}

    def _moment(self) -> str:
        zone = self._random.choice((UTC, timezone(timedelta(hours=-9, minutes=-30))))
        return self._random.choice(MOMENTS).astimezone(zone).isoformat()

    def _cursor(self, name: str, own: dict[str, object], chosen: dict[str, object]) -> str | None:
        """The cursor of some row of the list, seen or not."""
        if name == "occurrences":
            return None  # no event here is one of a series
        nested = name in ("members", "hosts", "log")
        found = self._random.choice(self._oracle.nested(name)) if nested else self._oracle.root_list(name, _sent(own))
        places = [] if found is None else self._oracle.pages.cursors(found, _sent(chosen))
        return self._random.choice(places) if places else None


@dataclass(frozen=True)
class _Enum:
    name: str


def _literal(value: object) -> str:
    """A value in GraphQL's own syntax."""
    if isinstance(value, _Enum):
        return value.name
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _sent(value: object) -> Any:
    """A value as JSON, in variables."""
    if isinstance(value, dict):
        return {key: _sent(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_sent(each) for each in value]
    return value.name if isinstance(value, _Enum) else value
