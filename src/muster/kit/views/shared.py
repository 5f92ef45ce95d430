"""What several fields of a row ask: PostgreSQL is asked it once for each row.

It finds no equal sub-selects by itself: it prepares and runs each as often as it stands in the text. So those that more
than one field holds become columns of a row beside the row, which the fields then read (decision 0034).
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Exists, FromClause, Integer, ScalarSelect, literal_column, select
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.visitors import replacement_traverse

K = TypeVar("K", bound=Hashable)
Expressions = Mapping[K, ColumnElement[Any]]
_SUB_SELECTS = (Exists, ScalarSelect)
# Behind OFFSET the planner puts no sub-select back into each of the places that read it.
_FENCE = literal_column("0", Integer())


def asked_once(fields: Expressions[K], name: str) -> tuple[Expressions[K], FromClause | None]:
    """The expressions of fields with what several of them ask read from a row beside, and that row; None when they share nothing.

    fields: over the columns of one row, which they name as text. name: of the row beside, which nothing else here has.
    """
    repeated = [alike for alike in _alike(fields) if len(alike) > 1]
    if not repeated:
        return fields, None
    asked = [alike[0].label(f"asked_{number}") for number, alike in enumerate(repeated)]
    answers = {
        id(each): literal_column(f"{name}.{label.name}", label.type)
        for label, alike in zip(asked, repeated, strict=True)
        for each in alike
    }
    beside = select(*asked).offset(_FENCE).lateral(name)
    return {key: _answered(expression, answers) for key, expression in fields.items()}, beside


def _alike(fields: Expressions[K]) -> list[list[ColumnElement[Any]]]:
    """The sub-selects of the fields, those together that ask the same."""
    groups: list[list[ColumnElement[Any]]] = []
    for each in (found for expression in fields.values() for found in _sub_selects(expression)):
        group = next((group for group in groups if group[0].compare(each)), None)
        if group is None:
            groups.append([each])
        else:
            group.append(each)
    return groups


def _sub_selects(expression: ClauseElement) -> Iterator[ColumnElement[Any]]:
    """The sub-selects of an expression, but not those within them."""
    if isinstance(expression, _SUB_SELECTS):
        yield expression
    else:
        for child in expression.get_children():
            yield from _sub_selects(child)


def _answered(expression: ColumnElement[Any], answers: Mapping[int, ColumnElement[Any]]) -> ColumnElement[Any]:
    """The expression with each sub-select that has an answer replaced by it, and the others as they are."""

    def replace(element: Any, **_options: Any) -> Any:
        return answers.get(id(element), element) if isinstance(element, _SUB_SELECTS) else None

    answered: ColumnElement[Any] = replacement_traverse(expression, {}, replace)
    return answered
