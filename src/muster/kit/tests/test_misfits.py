"""What does not fit is told field by field, in words that need no knowledge of the program."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from muster.kit.arguments import Input, Instant, fitting, read_struct
from muster.kit.errors import Invalid


class Way(StrEnum):
    OPEN = "OPEN"
    ASKED = "ASKED"


class Guest(Input):
    name: Annotated[str, Meta(min_length=1, pattern=r"\S")]
    age: Annotated[int, Meta(ge=0, le=150)] | None = None


class Asked(Input):
    title: Annotated[str, Meta(min_length=3, max_length=5)]
    way: Way | UnsetType = UNSET
    id: UUID | None = None
    at: Instant | None = None
    colour: Annotated[str, Meta(pattern="^#[0-9a-f]{6}$", examples=["#336699"])] | UnsetType = UNSET
    code: Annotated[str, Meta(pattern="^[a-z]+$")] | None = None
    place: Annotated[str, Meta(pattern=r"^\S")] | None = None
    share: Annotated[float, Meta(gt=0)] = 1
    guests: Annotated[list[Guest], Meta(max_length=2)] = []
    names: dict[str, Annotated[int, Meta(ge=1)]] = {}


def wrong(**given: object) -> dict[str, str]:
    """What is said of each field."""
    with pytest.raises(Invalid) as caught:
        read_struct({"title": "Chess", **given}, Asked)
    return {each.path: each.message for each in caught.value.fields}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "x", "must have at least 3 characters"),
        ("title", "too long", "must have at most 5 characters"),
        ("title", 5, "must be a text, not a whole number"),
        ("title", None, "must be a text, not null"),
        ("way", "SHUT", "must be one of OPEN, ASKED"),
        ("id", "x", "must be a UUID"),
        ("id", 5, "must be a UUID or null, not a whole number"),
        ("at", "soon", "must be a moment in ISO 8601, such as 2031-05-01T18:00:00Z"),
        ("at", "2031-05-01T18:00:00", "needs an offset from UTC, such as the Z in 2031-05-01T18:00:00Z"),
        ("colour", "red", "must have a form such as #336699"),
        ("code", "A", "has not the form it must have"),
        ("place", " here", "must not begin with a blank"),
        ("share", 0, "must be more than 0"),
        ("share", "much", "must be a number, not a text"),
        ("guests", {}, "must be a list, not an object"),
        ("guests", [{"name": "A"}] * 3, "must have at most 2 entries"),
    ],
)
def test_each_misfit_is_told_in_words(field: str, value: object, said: str) -> None:
    assert wrong(**{field: value}) == {field: said}


def test_every_field_that_is_wrong_is_told_at_once_with_its_path() -> None:
    guests = [{"name": "Ada"}, {"name": " ", "age": 151}, {"nickname": "Bob"}]
    assert wrong(title="", way="SHUT", guests=guests, places=3) == {
        "title": "must have at least 3 characters",
        "way": "must be one of OPEN, ASKED",
        "guests[1].name": "must not be blank",
        "guests[1].age": "must be at most 150",
        "guests[2].nickname": "is not a field here",
        "guests[2].name": "is required",
        "places": "is not a field here",
    }


def test_a_detail_names_each_field_and_codes_tell_what_kind_of_misfit() -> None:
    with pytest.raises(Invalid) as caught:
        read_struct({"nickname": "x", "way": "SHUT"}, Asked)
    told = "nickname: is not a field here; way: must be one of OPEN, ASKED; title: is required"
    assert caught.value.detail == told
    assert [each.code for each in caught.value.fields] == ["UNKNOWN_FIELD", "INVALID", "REQUIRED"]


def test_what_stands_in_a_mapping_has_its_path() -> None:
    (path,) = wrong(names={"en": 0})
    assert path.startswith("names[")


def test_of_very_many_misfits_the_first_are_told() -> None:
    assert len(wrong(**{f"field{number}": 1 for number in range(1000)})) == 20


def test_text_of_an_address_is_read_as_what_it_stands_for() -> None:
    class Page(msgspec.Struct):
        first: Annotated[int, Meta(ge=0)]
        at: datetime | None = None

    assert fitting({"first": "5"}, Page, from_text=True).first == 5
    with pytest.raises(Invalid, match="first: must be at least 0"):
        fitting({"first": "-5"}, Page, from_text=True)
    with pytest.raises(Invalid, match="first: must be a whole number, not a text"):
        fitting({"first": "many"}, Page, from_text=True)
