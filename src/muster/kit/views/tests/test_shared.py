"""What several fields of a row ask stands once in a statement."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, select

import muster.slices  # noqa: F401 - declares every view
from muster.events.tables import EventMember, EventMemberStatus
from muster.events.views import EventView
from muster.kit.db.statements import to_text
from muster.kit.db.tables import once_more
from muster.kit.views.compiler import Compiler
from muster.kit.views.fields import Leaf, fields_of
from muster.kit.views.picks import Pick, whole
from muster.kit.views.shared import asked_once
from muster.kit.views.view import VIEWS, View

# SQLAlchemy tells the aliases of predicates apart by one underscore and a number; ours have two.
_ALIAS = re.compile(r"(?<!_)_\d+\b")


def test_fixed_selections_ask_nothing_of_a_row_twice() -> None:
    asking = [view for view in VIEWS.values() if sum(map(_asks, fields_of(view).values())) > 1]
    twice = {view.__name__: _twice(_text(view, whole(view))) for view in asking}
    assert EventView in asking
    assert {name: found for name, found in twice.items() if found} == {}


def test_one_field_asks_where_it_stands() -> None:
    text = _text(EventView, [Pick("id", "id"), Pick("address", "address")])
    assert "LATERAL" not in text
    assert text.count("FROM event_members") == 1


def test_two_fields_ask_beside_the_row() -> None:
    text = _text(EventView, [Pick("a", "address"), Pick("b", "address"), Pick("p", "isPointExact")])
    assert text.count("LATERAL") == 1
    assert text.count("FROM event_members") == 1


def test_what_differs_in_a_value_is_asked_by_itself() -> None:
    fields = {status: _has_status(status) for status in (EventMemberStatus.JOINED, EventMemberStatus.LEFT)}
    assert asked_once(fields, "beside") == (fields, None)
    _, beside = asked_once(
        {"a": _has_status(EventMemberStatus.LEFT), "b": _has_status(EventMemberStatus.LEFT)}, "beside"
    )
    assert beside is not None


def _has_status(status: EventMemberStatus) -> ColumnElement[bool]:
    mine = once_more(EventMember)
    return select(mine.id).where(mine.status == status).exists()


def _asks(field: object) -> bool:
    return isinstance(field, Leaf) and (field.sql is not None or field.guard is not None)


def _text(view: type[View], picks: Sequence[Pick]) -> str:
    compiler = Compiler()
    return to_text(compiler.written(view, compiler.alias(view), picks)).text


def _twice(text: str) -> list[str]:
    found = Counter(_ALIAS.sub("", each) for each in _sub_selects(text))
    return [each for each, count in found.items() if count > 1]


def _sub_selects(text: str) -> Iterator[str]:
    opened = []
    for place, character in enumerate(text):
        if character == "(":
            opened.append(place)
        elif character == ")" and text.startswith("(SELECT", begin := opened.pop()):
            yield text[begin : place + 1]
