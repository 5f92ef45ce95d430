"""Execution: a GraphQL operation as commands and compiled reads. graphql-core parses, validates and collects; its
executor only answers introspection.
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
    get_variable_values,
)
from graphql.execution.values import VariableValues
from sqlalchemy import ColumnElement

from muster.kit.caller import Origin
from muster.kit.commands.command import COMMANDS
from muster.kit.commands.context import Services
from muster.kit.db.replicas import Rows
from muster.kit.endpoints.deprecations import client_name
from muster.kit.endpoints.graphql.documents import MOST_ERRORS, Document, documents_of
from muster.kit.endpoints.graphql.errors import BadOperation
from muster.kit.endpoints.graphql.limits import DEVELOPMENT, PRODUCTION, check_cost, page_sizes
from muster.kit.endpoints.graphql.mutations import After, MutationField, Mutations, read_terms
from muster.kit.endpoints.graphql.persisted import Persisted, good_list
from muster.kit.endpoints.graphql.selections import Root, Selection, Source, argument_values, read_slots
from muster.kit.errors import BadInput
from muster.kit.metrics import GRAPHQL_FIELDS, count_deprecated, count_operation, operation_label
from muster.kit.realtime.stream import StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.tally import Use
from muster.kit.text import refuse_unstorable
from muster.kit.tracing.switch import TRACING
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import SlotValues
from muster.kit.views.plans import Body, compile_plan, plans_of, run_plan
from muster.kit.views.query import QUERIES, Query


class GraphQLRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A request as GraphQL over HTTP and the socket protocol write it; without `query` its extensions name a hash."""

    query: str | msgspec.UnsetType = msgspec.UNSET
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.query is msgspec.UNSET and not self.extensions:
            raise ValueError("Object missing required field `query`")


@dataclass(frozen=True)
class Operation:
    """A valid operation with its variables. kind: `query`, `mutation` or `subscription`."""

    document: Document
    node: OperationDefinitionNode
    variables: VariableValues
    raw_variables: dict[str, Any]
    extensions: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.node.operation.value

    @property
    def name(self) -> str | None:
        """As the document has it."""
        return self.node.name.value if self.node.name else None


# An operation has one shape per truth of its boolean variables, and whoever writes it may give it many of those.
_MOST_SHAPES = 64
_MOST_SIZES = 64
_MASKED = "The variables do not fit the types that the document gives them."


@dataclass(frozen=True)
class _Shape:
    """What an operation always comes down to, whatever its values: its roots, and where its slots come from.

    number: no other shape has it, so it stands for all of the shape in the key of a plan. use: of the fields that it
    selects. deprecated: those of them that clients should leave.
    affordable: page sizes with which it was found to cost no more than is allowed.
    """

    number: int
    use: Use
    deprecated: tuple[str, ...]
    roots: tuple[Root, ...]
    sources: tuple[tuple[Source | None, ...], ...]
    affordable: set[tuple[int, ...]] = field(default_factory=set)


_numbers = itertools.count()


class GraphQL:
    """Runs GraphQL operations."""

    def __init__(self, services: Services, schema: GraphQLSchema) -> None:
        production = services.settings.is_production
        self._services = services
        self._schema = schema
        self._limits = PRODUCTION if production else DEVELOPMENT
        self._is_open = not production
        self._documents = documents_of(schema, self._limits, is_open=self._is_open)
        listed = services.settings.operations
        self._persisted = Persisted(None if listed is None else good_list(listed, self._documents))
        self._plans = plans_of("reads over GraphQL", services.gate)
        self._mutations = Mutations(services)

    def read(self, request: GraphQLRequest) -> Operation:
        """The operation that a request wants. Raises BadInput (of which BadOperation is one)."""
        given = None if request.query is msgspec.UNSET else request.query
        text, digest = self._persisted.find(given, request.extensions)
        refuse_unstorable({"query": text, "variables": request.variables, "extensions": request.extensions})
        document = self._documents.get(text)
        if digest is not None:
            self._persisted.keep(digest, text)
        node = document.operation(request.operation_name or None)
        variables = get_variable_values(
            self._schema,
            node.variable_definitions or (),
            request.variables or {},
            max_errors=MOST_ERRORS,
            hide_suggestions=not self._is_open,
        )
        if isinstance(variables, list):
            raise BadOperation(variables if self._is_open else [GraphQLError(_MASKED)])
        return Operation(document, node, variables, request.variables or {}, request.extensions)

    async def run(self, operation: Operation, origin: Origin, after: After | None = None) -> bytes:
        """The whole JSON response of a query or mutation. after: what results of commands go through first.

        Raises AppError when the request is refused before anything runs.
        """
        kind = operation.kind
        if kind == "subscription":
            raise BadInput(
                "query: subscriptions run over the socket at /graphql (graphql-transport-ws), or as text/event-stream."
            )
        began, outcome = time.perf_counter(), "refused"
        try:
            is_query = kind == "query"
            running = self._run_query(operation, origin) if is_query else self._run_mutation(operation, origin, after)
            if TRACING.spans is not None:
                running = TRACING.spans.within(f"{kind} {operation_label(operation.name)}", running)
            body = await running
            outcome = "done"
            return body
        finally:
            count_operation(operation.name, kind, outcome, time.perf_counter() - began)

    async def stream(self, operation: Operation, origin: Origin) -> StreamRequest:
        """What a subscription asks for. Raises BadInput, Invalid or TooMany."""
        shape = self._shape(operation)
        if len(shape.roots) != 1 or shape.roots[0].field is None:
            raise BadInput("query: a subscription has exactly one root field.")
        root = shape.roots[0]
        declared = SUBSCRIPTIONS[root.name]
        slots = read_slots(shape.sources[0], operation.variables)
        check_cost((root.pick,), slots, self._limits)
        await self._services.limiter.draw((declared.limit,), origin)
        self._count(shape, operation, origin)
        raw = argument_values(root.field, root.node, operation.variables) if root.field else {}
        after = raw.pop("after", None)
        return StreamRequest(
            declared,
            root.key,
            root.pick.picks,
            tuple(slots),
            declared.arguments.read(raw),
            after if isinstance(after, str) else None,
        )

    def _shape(self, operation: Operation) -> _Shape:
        """The roots of an operation; kept by its name and by the booleans that `@skip` and `@include` may read."""
        name = operation.name
        flags = tuple(sorted(item for item in operation.variables.coerced.items() if isinstance(item[1], bool)))
        shapes = operation.document.shapes
        kept = shapes.get((name, flags))
        if kept is None:
            if len(shapes) == _MOST_SHAPES:
                shapes.clear()
            kept = shapes[name, flags] = self._collect(operation)
        return kept

    def _collect(self, operation: Operation) -> _Shape:
        try:
            return self._collected(operation)
        except GraphQLError as error:
            # The library's own words name types, which are nobody's business where the schema is closed.
            told = GraphQLError("The condition of a directive is null or left out, and may not be.", error.nodes)
            raise BadOperation([told]) from None
        except RecursionError:
            raise BadInput.field("query", "is nested too deeply") from None

    def _collected(self, operation: Operation) -> _Shape:
        selection = self._selection(operation)
        used: dict[str, GraphQLField] = {}
        roots, sources = [], []
        for key, details in selection.roots():
            # A mutation's fields run one by one, each with slots of its own; slot 0 holds what it returned.
            own = self._selection(operation) if operation.kind == "mutation" else selection
            if operation.kind == "mutation":
                own.fill_slot()
            roots.append(own.root(key, details))
            sources.append(own.sources)
            used |= own.used
        deprecated = tuple(name for name, each in used.items() if each.deprecation_reason is not None)
        parts = tuple(tuple(each) for each in sources)
        return _Shape(next(_numbers), Use(used), deprecated, tuple(roots), parts)

    def _count(self, shape: _Shape, operation: Operation, origin: Origin) -> None:
        """Count what a run uses."""
        GRAPHQL_FIELDS.count(shape.use)
        if shape.deprecated:
            count_deprecated(shape.deprecated, operation_label(operation.name), client_name(origin))

    def _selection(self, operation: Operation) -> Selection:
        return Selection(self._schema, operation.node, operation.document.fragments, operation.variables)

    async def _run_query(self, operation: Operation, origin: Origin) -> bytes:
        shape = self._shape(operation)
        reads = [root for root in shape.roots if root.name in QUERIES]
        slots = read_slots(shape.sources[0], operation.variables) if shape.sources else []
        self._check_cost(shape, reads, slots)
        answers = self._introspect(operation, shape.roots)
        await self._services.limiter.draw([QUERIES[root.name].limit for root in reads], origin)
        self._count(shape, operation, origin)
        if reads:
            answers |= await self._read(shape, origin, reads, slots)
        members = ",".join(f'"{root.key}":{answers[root.key]}' for root in shape.roots)
        return f'{{"data":{{{members}}}}}'.encode()

    def _check_cost(self, shape: _Shape, reads: Sequence[Root], slots: list[SlotValues]) -> None:
        sizes = page_sizes(slots)
        if sizes not in shape.affordable:
            check_cost(tuple(root.pick for root in reads), slots, self._limits)
            if len(shape.affordable) < _MOST_SIZES:
                shape.affordable.add(sizes)

    async def _read(
        self, shape: _Shape, origin: Origin, roots: Sequence[Root], slots: list[SlotValues]
    ) -> dict[str, str]:
        """The bodies of all root fields from one statement, once the caller is admitted to each of them."""
        services = self._services
        key = (shape.number, tuple(slot.shape for slot in slots))
        plan = self._plans.get(key, lambda: compile_plan(services.gate, slots, [_body(root) for root in roots]))
        rows: Rows = services.database
        if services.replicas is not None and all(QUERIES[root.name].stale for root in roots):
            rows = await services.replicas.reader(origin.claim.user_id)
        caller, bodies = await run_plan(rows, plan, origin, slots)
        for root in roots:
            declared = QUERIES[root.name]
            services.gate.admit(origin.claim, caller, declared.allow, declared.permission)
        return {root.key: body for root, body in zip(roots, bodies, strict=True)}

    def _introspect(self, operation: Operation, roots: Sequence[Root]) -> dict[str, str]:
        """`__typename`, `__schema` and `__type` of an operation's root."""
        kind = self._schema.get_root_type(operation.node.operation)
        name = "" if kind is None else kind.name
        answers = {root.key: f'"{name}"' for root in roots if root.name == "__typename"}
        asked = [root for root in roots if root.name in ("__schema", "__type")]
        if not asked:
            return answers
        node = OperationDefinitionNode(
            operation=operation.node.operation,
            variable_definitions=operation.node.variable_definitions,
            selection_set=SelectionSetNode(selections=tuple(node for root in asked for node in root.nodes)),
        )
        definitions = (node, *(each.definition for each in operation.document.fragments.values()))
        result = execute_sync(
            self._schema, DocumentNode(definitions=definitions), variable_values=operation.raw_variables
        )
        data = result.data or {}
        return answers | {root.key: msgspec.json.encode(data.get(root.key)).decode() for root in asked}

    async def _run_mutation(self, operation: Operation, origin: Origin, after: After | None) -> bytes:
        shape = self._shape(operation)
        all_slots = [read_slots(sources, operation.variables) for sources in shape.sources]
        fields = []
        for number, (root, slots) in enumerate(zip(shape.roots, all_slots, strict=True)):
            check_cost((root.pick,), slots, self._limits)
            if root.field is not None:
                fields.append(MutationField((shape.number, number), root, root.field, operation.variables, slots))
        await self._services.limiter.draw([COMMANDS[each.root.name].limit for each in fields], origin)
        self._count(shape, operation, origin)
        told = await self._mutations.run(fields, read_terms(operation.extensions), origin, after)
        if told.undone:
            return f'{{"data":null{told.tail()}}}'.encode()
        answers = self._introspect(operation, shape.roots) | told.bodies
        members = ",".join(f'"{root.key}":{answers[root.key]}' for root in shape.roots)
        return f'{{"data":{{{members}}}{told.tail()}}}'.encode()


def _body(root: Root) -> Body:
    query: Query = QUERIES[root.name]

    def body(compiler: Compiler) -> ColumnElement[str]:
        return query.compile(compiler, root.pick)

    return body
