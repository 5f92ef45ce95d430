"""Documents: parsed and validated once, kept by their text."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
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
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from muster.kit.caller import whoever
from muster.kit.commands.command import COMMANDS
from muster.kit.endpoints.graphql.errors import BadDocument
from muster.kit.endpoints.graphql.limits import LARGEST_DOCUMENT, MOST_TOKENS, Limits, check_shape
from muster.kit.errors import BadInput

MOST_ERRORS = 20
"""Reasons that one refusal gives."""
_KEPT = 1000
_MASKED = "The document does not fit the schema of this service; check it against schema.graphql."
# Validation compares fields with one key, each with each; with the library's own budget, 10 kB took it 1.2 s.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 100_000


@dataclass(frozen=True)
class Document:
    """A valid document: its operations by name, and its fragments.

    is_for_whoever: all it does is what looks at nobody's credentials (see `Allow`), each written at its root.
    shapes: what execution has found out about each operation, by name and boolean variables.
    """

    operations: dict[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDetails]
    is_for_whoever: bool
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

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, is_open: bool) -> None:
        """is_open: whether the schema may be explored, by introspection and by what errors suggest."""
        self._schema = schema
        self._limits = limits
        self._is_open = is_open
        self._rules = [*specified_rules, *([] if is_open else [NoSchemaIntrospectionCustomRule])]
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
            errors = validate(
                self._schema, parsed, self._rules, max_errors=MOST_ERRORS, hide_suggestions=not self._is_open
            )
        except GraphQLError as error:
            raise BadDocument([error]) from None
        except RecursionError:
            raise BadInput("query: is nested too deeply.") from None
        if errors and isinstance(errors[0], ValidationAbortedError):
            raise BadInput.field("query", "takes too long to check; select each field once, in fewer fragments")
        if errors:
            # What fits and what does not, told one by one, is the schema for whoever asks often enough.
            raise BadDocument(errors if self._is_open else [GraphQLError(_MASKED)])
        return _sorted_out(parsed)


@lru_cache(maxsize=8)
def documents_of(schema: GraphQLSchema, limits: Limits, *, is_open: bool) -> Documents:
    """The documents of a schema, for every application of this process."""
    return Documents(schema, limits, is_open=is_open)


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
    return Document(operations, fragments, all(map(_is_for_whoever, operations.values())))


def _is_for_whoever(operation: OperationDefinitionNode) -> bool:
    fields = operation.selection_set.selections
    commands = [COMMANDS.get(each.name.value) if isinstance(each, FieldNode) else None for each in fields]
    return all(each is not None and each.allow is whoever for each in commands)
