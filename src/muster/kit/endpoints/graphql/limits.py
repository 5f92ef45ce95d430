"""Limits of documents: what is refused before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
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
_MOST_ALIASES = 30
_MOST_ROOTS = 20
_MOST_DIRECTIVES = 5
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
            _check("is", extent.depth, "levels deep", limits.depth)
            _check("selects", extent.fields, "fields", limits.complexity)
            _check("has", extent.aliases, "aliases", _MOST_ALIASES)
            _check("has", extent.side_by_side, "root fields", _MOST_ROOTS)
            _check("has", _most_directives(extent, definition), "directives in one place", _MOST_DIRECTIVES)


def _check(verb: str, found: int, what: str, most: int) -> None:
    if found > most:
        raise BadInput.field("query", f"{verb} {found} {what}, and at most {most} are allowed")


def _most_directives(extent: "_Extent", operation: OperationDefinitionNode) -> int:
    variables = (len(each.directives or ()) for each in operation.variable_definitions or ())
    return max(extent.directives, len(operation.directives or ()), *variables, 0)


class _Extent(NamedTuple):
    """How far a selection reaches.

    side_by_side: fields that stand next to each other, those below them not counted. fields: all of them.
    aliases: those under a name of the client's. directives: the most that stand in one place.
    """

    depth: int = 0
    side_by_side: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    @classmethod
    def together(cls, extents: Sequence["_Extent"]) -> "_Extent":
        """What stands next to each other."""
        return cls(
            depth=max((each.depth for each in extents), default=0),
            side_by_side=sum(each.side_by_side for each in extents),
            fields=sum(each.fields for each in extents),
            aliases=sum(each.aliases for each in extents),
            directives=max((each.directives for each in extents), default=0),
        )


class _Extents:
    """How far selections reach, each fragment measured once however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        found = (each for each in document.definitions if isinstance(each, FragmentDefinitionNode))
        self._fragments = {each.name.value: each.selection_set for each in found}
        self._known: dict[str, _Extent] = {}

    def of(self, selections: SelectionSetNode) -> _Extent:
        """The extent of a selection set."""
        return _Extent.together([self._of_one(each) for each in selections.selections])

    def _of_one(self, selection: SelectionNode) -> _Extent:
        if isinstance(selection, FieldNode):
            inner = self._of_field(selection)
        elif isinstance(selection, FragmentSpreadNode):
            inner = self._of_fragment(selection.name.value)
        else:
            inner = self.of(selection.selection_set) if isinstance(selection, InlineFragmentNode) else _Extent()
        return inner._replace(directives=max(inner.directives, len(selection.directives or ())))

    def _of_field(self, field: FieldNode) -> _Extent:
        nested, name = field.selection_set, field.name.value
        inner = _Extent() if nested is None else self.of(nested)
        return inner._replace(
            depth=1 if name in _INTROSPECTION else inner.depth + (nested is None or name not in _NOT_COUNTED),
            side_by_side=1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (field.alias is not None),
        )

    def _of_fragment(self, name: str) -> _Extent:
        if name not in self._known:
            # While a fragment is measured it counts as nothing, should it spread itself.
            self._known[name] = _Extent()
            if name in self._fragments:
                self._known[name] = self.of(self._fragments[name])
        return self._known[name]


def check_cost(picks: tuple[Pick, ...], slots: list[SlotValues], limits: Limits, *, path: str = "query") -> None:
    """Refuse a read that would cost too much, knowing its page sizes.

    path: what the client has to change, for the error. Raises BadInput.
    """
    cost = sum(_cost(pick, slots) for pick in picks)
    if cost > limits.complexity:
        raise BadInput.field(
            path, f"costs {cost}, and at most {limits.complexity} is allowed; ask for fewer fields or smaller pages"
        )


def page_sizes(slots: Sequence[SlotValues]) -> tuple[int, ...]:
    """All that the cost of one selection depends on; 1 for what is no page."""
    return tuple(slot.values["size"] if isinstance(slot.shape, PageShape) else 1 for slot in slots)


def _cost(pick: Pick, slots: list[SlotValues]) -> int:
    if not pick.picks and not pick.kinds:
        return 1
    inner = sum(_cost(each, slots) for each in pick.picks)
    # A row is of one kind, so only the costliest counts.
    if pick.kinds:
        inner += max(sum(_cost(each, slots) for each in picks) for _, picks in pick.kinds)
    if pick.slot is not None and isinstance(slots[pick.slot].shape, PageShape):
        inner *= max(1, slots[pick.slot].values["size"])
    return 1 + inner
