"""Documents: parsed and validated once, kept by their text."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails

from muster.kit.endpoints.graphql.limits import LARGEST_DOCUMENT, MOST_TOKENS, Limits, check_shape
from muster.kit.endpoints.problem import graphql_error
from muster.kit.errors import AppError, BadInput

_KEPT = 1000


class BadDocument(BadInput):
    """The GraphQL document cannot be run; `errors` holds every reason with its place."""

    code = "GRAPHQL_VALIDATION_FAILED"

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True)
class Document:
    """A valid document: its operations by name, and its fragments.

    shapes: what execution has found out about each operation, by name and boolean variables.
    """

    operations: dict[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDetails]
    shapes: dict[Any, Any] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run. Raises BadInput when the name is missing or unknown."""
        if name is not None:
            if name not in self.operations:
                raise BadInput(f"operationName: the document has no operation {name!r}.")
            return self.operations[name]
        if len(self.operations) != 1:
            raise BadInput("operationName: is needed, since the document has not exactly one operation.")
        return next(iter(self.operations.values()))


class Documents:
    """The cache of valid documents; the least recently used one is dropped first."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, introspection: bool) -> None:
        self._schema = schema
        self._limits = limits
        self._rules = [*specified_rules, *([] if introspection else [NoSchemaIntrospectionCustomRule])]
        self._known: OrderedDict[str, Document] = OrderedDict()

    def get(self, text: str) -> Document:
        """The document of a text. Raises BadDocument or BadInput when it is not valid or too deep."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        document = self._known[text] = self._read(text)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return document

    def _read(self, text: str) -> Document:
        if len(text) > LARGEST_DOCUMENT:
            raise BadInput(f"query: has {len(text)} characters, and at most {LARGEST_DOCUMENT} are read.")
        try:
            parsed = parse(text, max_tokens=MOST_TOKENS, no_location=False)
            check_shape(parsed, self._limits)
            errors = validate(self._schema, parsed, self._rules, max_errors=20)
        except GraphQLError as error:
            raise BadDocument([error]) from None
        except RecursionError:
            raise BadInput("query: is nested too deeply.") from None
        if errors:
            raise BadDocument(errors)
        return _sorted_out(parsed)


def _sorted_out(parsed: DocumentNode) -> Document:
    operations = {
        definition.name.value if definition.name else "": definition
        for definition in parsed.definitions
        if isinstance(definition, OperationDefinitionNode)
    }
    fragments = {
        definition.name.value: FragmentDetails(definition)
        for definition in parsed.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    return Document(operations, fragments)


def errors_of(error: AppError, request_id: str) -> list[dict[str, Any]]:
    """A refused request as the `errors` of a GraphQL response: of a bad document every reason with its place."""
    whole = graphql_error(error, request_id)
    if not isinstance(error, BadDocument):
        return [whole]
    return [
        {
            **whole,
            "message": each.message,
            "locations": [{"line": place.line, "column": place.column} for place in each.locations or ()],
        }
        for each in error.errors
    ]
