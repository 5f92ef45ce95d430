"""What widens a read, still in one statement: `?include=members.user,owner` along the relations that its view declares
and by the fields that it gives only to who asks, and `?totalCount=true` by how many rows a list has in all.
"""

from collections.abc import Collection

from muster.kit.errors import Invalid
from muster.kit.remembered import remembered
from muster.kit.views.fields import ToMany, ToOne, fields_of, is_widening
from muster.kit.views.page_arguments import read_page
from muster.kit.views.picks import Pick, SlotValues, shown, version_last
from muster.kit.views.view import View

NAME, COUNT = "include", "totalCount"
_DEPTH = 2
"""Relations of relations, and no further: what else is wanted has an address of its own, or GraphQL."""

FIRST_OF_ONE, FIRST_OF_EACH = 20, 5
"""Rows of an included list: beside one row, and beside each row of a list, where all of them together are many."""

Include = tuple[str, ...]
"""Names of relations by the alphabet, `members.user` never without `members`."""


@remembered
def relations(view: type[View]) -> Include:
    """What a read of this view may include."""
    return tuple(sorted(_relations(view, _DEPTH)))


def read_include(view: type[View], text: str | None) -> Include:
    """The relations that are asked for. Raises Invalid, with what there is, for one that there is not."""
    if text is None:
        return ()
    found: set[str] = set()
    for name in text.split(","):
        if name not in relations(view):
            told = f"must be of {', '.join(relations(view))}" if relations(view) else "has nothing to add here"
            raise Invalid.field(NAME, f"{told}, not {name[:80]!r}")
        head, _, tail = name.partition(".")
        found |= {head, name} if tail else {head}
    return tuple(sorted(found))


def read_count(text: str | None) -> bool:
    """Whether a list is to be counted. Raises Invalid for what is neither true nor false."""
    if text not in (None, "true", "false"):
        raise Invalid.field(COUNT, "must be true or false")
    return text == "true"


def widened(
    view: type[View], include: Collection[str], slots: list[SlotValues], *, first: int, path: str = ""
) -> tuple[Pick, ...]:
    """What REST gives of a row: every scalar field, each relation in brief, and whole where it is included.

    slots: of the statement; each included page adds its own. first: rows of such a page. path: where the row stands, as
    `include` names it.
    """
    picks = []
    for field in fields_of(view).values():
        name = f"{path}{field.key}"
        if isinstance(field, ToMany):
            picks += [_beginning(field, include, slots, first, name)] if name in include else []
        elif isinstance(field, ToOne) and name in include:
            picks.append(
                Pick(field.key, field.key, picks=widened(field.target, include, slots, first=first, path=f"{name}."))
            )
        elif not is_widening(field) or name in include:
            picks.append(shown(field))
    return version_last(picks)


def _beginning(field: ToMany, include: Collection[str], slots: list[SlotValues], first: int, name: str) -> Pick:
    """The first page of a relation. It has no cursor, since its rest is read at the list's own address."""
    slot = len(slots)
    slots.append(read_page(field.target, field.key, {"first": first}, {}))
    rows = Pick("items", "nodes", picks=widened(field.target, include, slots, first=first, path=f"{name}."))
    more = Pick("pageInfo", "pageInfo", picks=(Pick("hasNextPage", "hasNextPage"),))
    return Pick(field.key, field.key, slot, (rows, more))


def _relations(view: type[View], depth: int) -> list[str]:
    found = []
    for field in fields_of(view).values():
        if depth and isinstance(field, ToOne | ToMany):
            inner = _relations(field.target, depth - 1)
            adds = isinstance(field, ToMany) or inner or set(field.target.brief) != set(_scalars(field.target))
            found += [field.key, *(f"{field.key}.{each}" for each in inner)] if adds else []
        elif depth and is_widening(field):
            found.append(field.key)
    return found


def _scalars(view: type[View]) -> list[str]:
    fields = (field for field in fields_of(view).values() if not isinstance(field, ToOne | ToMany))
    return [field.key for field in fields if not is_widening(field)]
