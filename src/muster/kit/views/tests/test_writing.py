"""JSON is put together with few joints, and what is written without escapes needs none."""

from collections.abc import Iterator

from sqlalchemy import CheckConstraint, Table, Text, literal_column

import muster.slices  # noqa: F401 - declares every view
from muster.kit.db.statements import to_text
from muster.kit.views.fields import Leaf, fields_of, table_of
from muster.kit.views.view import VIEWS
from muster.kit.views.writing import is_enumeration, json_object, or_null

_TITLE, _NOTES = (literal_column(name, Text()) for name in ("title", "notes"))


def test_columns_of_states_are_kept_to_states_that_need_no_escape() -> None:
    found = list(_states())
    assert len(found) > 10
    assert [place for place, table, leaf in found if not _is_kept(table, leaf)] == []
    assert all(state.isascii() and '"' not in state and "\\" not in state for *_, leaf in found for state in leaf.type)


def _states() -> Iterator[tuple[str, Table, Leaf]]:
    for view in VIEWS.values():
        for name, leaf in fields_of(view).items():
            if isinstance(leaf, Leaf) and is_enumeration(leaf.type) and leaf.column is not None:
                yield f"{view.__name__}.{name}", table_of(view), leaf


def _is_kept(table: Table, leaf: Leaf) -> bool:
    checks = (str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint))
    listed = ", ".join(f"'{state}'" for state in leaf.type)
    return f"{leaf.column} in ({listed})" in checks


def test_what_stands_before_goes_into_what_may_be_null() -> None:
    inner = json_object([("title", _TITLE), ("notes", or_null(_NOTES))])
    text = to_text(json_object([("event", inner), ("count", "1")])).text
    within = """coalesce((',"notes":' || notes), ',"notes":null')"""
    assert text == f"""(('{{"event":{{"title":' || title) || ({within} || '}},"count":1}}'))"""
