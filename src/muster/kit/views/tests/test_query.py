"""Arguments of queries reach the database as what they are, and what could not is refused at import."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from msgspec import Meta
from sqlalchemy import BigInteger, DateTime, Text, Uuid

from muster.identity.views import UserView
from muster.kit.arguments import Instant, Parameter
from muster.kit.caller import anyone
from muster.kit.views.paging import WholeNumber
from muster.kit.views.query import QUERIES, query, sql_type_of


class Colour(StrEnum):
    RED = "RED"


@pytest.mark.parametrize(
    ("annotation", "bound"),
    [
        (UUID, Uuid),
        (UUID | None, Uuid),
        (WholeNumber, BigInteger),
        (WholeNumber | None, BigInteger),
        (Annotated[int, Meta(ge=1, le=9, examples=[2])], BigInteger),
        (Instant, DateTime),
        (Annotated[str, Meta(max_length=9, examples=["a"])] | None, Text),
        (Colour, Text),
    ],
)
def test_an_argument_is_bound_as_its_type(annotation: Any, bound: type) -> None:
    assert isinstance(sql_type_of(Parameter("given", "given", annotation, None)), bound)


@pytest.mark.parametrize("annotation", [int, Annotated[int, Meta(ge=0)], datetime, float, list[str], UUID | str])
def test_what_cannot_be_bound_is_refused_at_import(annotation: Any) -> None:
    def odd(given: Any) -> UserView | None:
        """Odd."""

    odd.__annotations__["given"] = annotation
    with pytest.raises(TypeError, match="given: a query cannot bind"):
        query("GET /odd/{given}", "odd", allow=anyone)(odd)
    assert "odd" not in QUERIES
