"""Limits of documents: what is refused before anything runs."""

from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from muster.kit.errors import BadInput
from muster.kit.views.page_arguments import PageShape
from muster.kit.views.picks import Pick, SlotValues

LARGEST_DOCUMENT = 20_000
"""Characters."""
MOST_TOKENS = 5_000
_NOT_COUNTED = ("edges", "node", "nodes")
_INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True)
class Limits:
    """How deep and how costly an operation may be. A field costs 1; a list multiplies by its page size."""

    depth: int
    complexity: int


DEVELOPMENT = Limits(depth=15, complexity=10_000)
PRODUCTION = Limits(depth=10, complexity=5_000)


def check_shape(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document that is too deep or too large, before it is validated.

    Fragments may spread each other, so a short text may select more fields than anybody could hold.
    Raises BadInput. Fragments that spread themselves are left to validation, which refuses them.
    """
    extents = _Extents(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            extent = extents.of(definition.selection_set)
            if extent.depth > limits.depth:
                raise BadInput.field("query", f"is {extent.depth} levels deep, and at most {limits.depth} are allowed")
            if extent.fields > limits.complexity:
                raise BadInput.field(
                    "query", f"selects {extent.fields} fields, and at most {limits.complexity} are allowed"
                )


class _Extent(NamedTuple):
    depth: int
    fields: int


class _Extents:
    """How far selections reach, each fragment measured once however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        found = (each for each in document.definitions if isinstance(each, FragmentDefinitionNode))
        self._fragments = {each.name.value: each.selection_set for each in found}
        self._known: dict[str, _Extent] = {}

    def of(self, selections: SelectionSetNode) -> _Extent:
        extents = [self._of_one(each) for each in selections.selections]
        return _Extent(max(each.depth for each in extents), sum(each.fields for each in extents))

    def _of_one(self, selection: SelectionNode) -> _Extent:
        if isinstance(selection, FragmentSpreadNode):
            return self._of_fragment(selection.name.value)
        nested = getattr(selection, "selection_set", None)
        inner = _Extent(0, 0) if nested is None else self.of(nested)
        if not isinstance(selection, FieldNode):
            return inner
        if selection.name.value in _INTROSPECTION:
            return _Extent(1, inner.fields + 1)
        counts = nested is None or selection.name.value not in _NOT_COUNTED
        return _Extent(inner.depth + counts, inner.fields + 1)

    def _of_fragment(self, name: str) -> _Extent:
        if name not in self._known:
            # While a fragment is measured it counts as nothing, should it spread itself.
            self._known[name] = _Extent(0, 0)
            if name in self._fragments:
                self._known[name] = self.of(self._fragments[name])
        return self._known[name]


def check_cost(picks: tuple[Pick, ...], slots: list[SlotValues], limits: Limits) -> None:
    """Refuse an operation that would cost too much, knowing its page sizes. Raises BadInput."""
    cost = sum(_cost(pick, slots) for pick in picks)
    if cost > limits.complexity:
        raise BadInput(
            f"query: costs {cost}, and at most {limits.complexity} is allowed; ask for fewer fields or smaller pages."
        )


def _cost(pick: Pick, slots: list[SlotValues]) -> int:
    inner = sum(_cost(each, slots) for each in pick.picks)
    if pick.slot is not None and isinstance(slots[pick.slot].shape, PageShape):
        inner *= max(1, slots[pick.slot].values["size"])
    return 1 + inner
