"""Arguments of lists: size, cursor, order and filter, read and checked for one view."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from muster.kit.arguments import read_struct
from muster.kit.errors import BadInput
from muster.kit.remembered import remembered
from muster.kit.views.fields import table_of
from muster.kit.views.paging import DEFAULT_SIZE, LARGEST_SIZE, LED_BY, Order, cursor_tag, read_cursor
from muster.kit.views.picks import SlotValues
from muster.kit.views.view import View

PAGE_NAMES = ("first", "after", "last", "before", "order", "filter")
Size = Annotated[int, msgspec.Meta(description=f"At most {LARGEST_SIZE}; {DEFAULT_SIZE} when absent")]


@dataclass(frozen=True)
class PageShape:
    """What of a list's arguments changes the text of its statement.

    flags: the query's own arguments that do (booleans, and whether an optional one is given).
    alone: the filters that compare with several values and are given one, which an index answers in order.
    """

    order: str
    backwards: bool
    cursor: bool
    filters: tuple[str, ...]
    flags: tuple[tuple[str, object], ...] = ()
    alone: tuple[str, ...] = ()


@remembered
def filter_struct(view: type[View]) -> type[msgspec.Struct] | None:
    """The filter input of a view, or None when it has none."""
    if not view.filters:
        return None
    return msgspec.defstruct(
        f"{view.type_name()}Filter",
        [
            (name, Annotated[each.type, msgspec.Meta(description=each.meaning)] | None, None)
            for name, each in view.filters.items()
        ],
        forbid_unknown_fields=True,
        frozen=True,
        namespace={
            "__doc__": f"What a list of {view.type_name()} may be narrowed to; every part that is given counts."
        },
    )


def order_names(view: type[View]) -> tuple[str, ...]:
    """The orders that clients may choose from; none when there is only one."""
    return tuple(view.orders) if len(view.orders) > 1 else ()


@remembered
def page_struct(view: type[View]) -> type[msgspec.Struct]:
    """All the arguments of a list of `view`."""
    fields: list[Any] = [
        ("first", Size | None, None),
        ("after", str | None, None),
        ("last", Size | None, None),
        ("before", str | None, None),
    ]
    if order_names(view):
        fields.append(("order", str | None, None))
    if (filters := filter_struct(view)) is not None:
        fields.append(("filter", filters | None, None))
    return msgspec.defstruct(f"{view.type_name()}Page", fields, forbid_unknown_fields=True, frozen=True)


def read_page(
    view: type[View], list_name: str, raw: dict[str, object], chosen: dict[str, Any], *, from_text: bool = False
) -> SlotValues:
    """The arguments of one list.

    list_name: which list this is; its cursors fit no other. raw: by their names on the wire, page arguments only.
    chosen: the query's other arguments, already read. from_text: every value is text, as in an address.
    Raises BadInput for sizes out of range, `first` with `last`, a damaged or foreign cursor, an order without the
    filter it ranks by; Invalid for a filter that does not fit its type.
    """
    given: Any = read_struct(raw, page_struct(view), from_text=from_text)
    size, backwards = _size(given.first, given.last)
    filters = _present(getattr(given, "filter", None))
    name, order = _order(view, getattr(given, "order", None), filters)
    tag = cursor_tag(list_name, name, {**chosen, **filters})
    bound: dict[str, Any] = {key: view.filters[key].bound(value) for key, value in filters.items()}
    values = {**chosen, "size": size, "tag": tag, **{f"filter_{key}": value for key, value in bound.items()}}
    cursor = _cursor(view, order, tag, given, backwards=backwards)
    values |= {f"cursor_{number}": key for number, key in enumerate(cursor or ())}
    flags = tuple((key, value) for key, value in chosen.items() if isinstance(value, bool) or value is None)
    alone = tuple(each for each, value in bound.items() if view.filters[each].takes_several and len(value) == 1)
    return SlotValues(values, PageShape(name, backwards, cursor is not None, tuple(filters), flags, alone))


def _size(first: int | None, last: int | None) -> tuple[int, bool]:
    if first is not None and last is not None:
        raise BadInput.field("last", "cannot come with first; give one of them")
    name, size = ("first", first) if last is None else ("last", last)
    if size is not None and not 0 <= size <= LARGEST_SIZE:
        raise BadInput.field(name, f"must be from 0 to {LARGEST_SIZE}")
    return DEFAULT_SIZE if size is None else size, last is not None


def _present(filters: msgspec.Struct | None) -> dict[str, Any]:
    """The filters that are given; null means the same as absent."""
    if filters is None:
        return {}
    return {name: value for name in filters.__struct_fields__ if (value := getattr(filters, name)) is not None}


def _order(view: type[View], name: str | None, filters: dict[str, Any]) -> tuple[str, Order]:
    name = next(iter(view.orders)) if name is None else name
    if name not in view.orders:
        raise BadInput.field("order", f"must be one of {', '.join(view.orders)}")
    order = view.orders[name]
    if order.ranked_by is not None and order.ranked_by not in filters:
        raise BadInput.field("order", f"{name} ranks by the filter {order.ranked_by}, which is not given")
    return name, order


def _cursor(view: type[View], order: Order, tag: str, given: Any, *, backwards: bool) -> tuple[object, ...] | None:
    path, text, wrong = ("before", given.before, given.after) if backwards else ("after", given.after, given.before)
    if wrong is not None:
        raise BadInput.field("after" if backwards else "before", "after goes with first, before goes with last")
    if text is None:
        return None
    ranks: tuple[type, ...] = (float,) if order.ranked_by else LED_BY if order.leads else ()
    types = (*ranks, *(table_of(view).columns[name].type.python_type for name in order.columns))
    return read_cursor(text, tag, types, path)
