"""Limits of documents: what is refused before anything runs."""

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
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
    """Refuse a document that is too deep, before it is validated.

    Raises BadInput. Fragments that spread themselves are left to validation, which refuses them.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    depths: dict[str, int] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            depth = _depth(definition.selection_set, fragments, depths, frozenset())
            if depth > limits.depth:
                raise BadInput(f"query: is {depth} levels deep, and at most {limits.depth} are allowed.")


def _depth(
    selections: SelectionSetNode,
    fragments: dict[str, FragmentDefinitionNode],
    depths: dict[str, int],
    inside: frozenset[str],
) -> int:
    deepest = 0
    for selection in selections.selections:
        if isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name in inside or name not in fragments:
                continue
            if name not in depths:
                depths[name] = _depth(fragments[name].selection_set, fragments, depths, inside | {name})
            deepest = max(deepest, depths[name])
            continue
        name = selection.name.value if isinstance(selection, FieldNode) else ""
        nested = getattr(selection, "selection_set", None)
        if name in _INTROSPECTION or nested is None:
            deepest = max(deepest, 1 if name else 0)
            continue
        counts = 1 if name and name not in _NOT_COUNTED else 0
        deepest = max(deepest, counts + _depth(nested, fragments, depths, inside))
    return deepest


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
