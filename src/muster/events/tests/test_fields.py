"""What an event says of itself: each field is kept, emptied by null, left alone when absent, and refused when wrong."""

from typing import Any

import pytest

from muster.testing.client import Way
from muster.testing.people import Standing
from muster.testing.town import Town, event_input

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID: dict[str, Any] = {
    "notes": "Bring a pen",
    "place": "The old cinema",
    "placeId": "node/240949599",
    "radiusKm": 2.5,
    "levels": ["BEGINNER", "ADVANCED"],
    "language": "pt-BR",
    "price": 1250,
    "currency": "PLN",
    "coverUrl": "https://pictures.example/cinema.jpg",
    "gallery": ["https://pictures.example/1.jpg", "https://pictures.example/2.jpg"],
    "appearance": {
        "card": {"background": ["#2f6f62"], "shadow": "SOFT"},
        "detail": {"background": None, "panel": {"background": ["#ffffff", "#000000"], "shadow": None}},
    },
}
EMPTY = dict.fromkeys(("notes", "place", "placeId", "radiusKm", "language", "coverUrl", "appearance"))
WRONG = [
    ({"title": "ab"}, "title"),
    ({"title": "a" * 61}, "title"),
    ({"description": "a" * 5001}, "description"),
    ({"notes": "a" * 301}, "notes"),
    ({"notes": " "}, "notes"),
    ({"radiusKm": 10.1}, "radiusKm"),
    ({"radiusKm": -1}, "radiusKm"),
    ({"levels": ["EXPERT"]}, "levels[0]"),
    ({"language": "Polish"}, "language"),
    ({"price": -1}, "price"),
    ({"price": 100, "currency": None}, "currency"),
    ({"currency": "zl"}, "currency"),
    ({"coverUrl": "http://pictures.example/1.jpg"}, "coverUrl"),
    ({"coverUrl": "javascript:alert(1)"}, "coverUrl"),
    ({"gallery": ["https://pictures.example/1.jpg"] * 13}, "gallery"),
    ({"appearance": {"card": {"background": ["red"]}}}, "appearance.card.background[0]"),
    ({"appearance": {"card": {"background": []}}}, "appearance.card.background"),
    ({"appearance": {"card": {"glow": True}}}, "appearance.card.glow"),
    ({"addressVisibility": "FRIENDS"}, "addressVisibility"),
    ({"membersVisibility": None}, "membersVisibility"),
]


@pytest.mark.parametrize("way", Way)
async def test_all_is_kept_and_emptied(module_town: Town, way: Way) -> None:
    owner = module_town.client(Standing.OWNER)
    made = (await owner.call("createEvent", way=way, input=event_input(**SAID))).ok()
    assert SAID.items() <= made.items()
    untouched = (await owner.call("updateEvent", way=way, id=made["id"], input={"title": "Another title"})).ok()
    assert SAID.items() <= untouched.items()
    emptied: dict[str, Any] = {**EMPTY, "levels": [], "gallery": [], "price": 0, "currency": None}
    assert emptied.items() <= (await owner.call("updateEvent", way=way, id=made["id"], input=emptied)).ok().items()
    again = (await owner.call("updateEvent", way=way, id=made["id"], input=SAID)).ok()
    assert SAID.items() <= again.items()
    # What is so already is no change: the version stays.
    same = (
        await owner.call("updateEvent", way=way, id=made["id"], input={**SAID, "levels": ["ADVANCED", "BEGINNER"]})
    ).ok()
    assert same["version"] == again["version"]


@pytest.mark.parametrize(("wrong", "path"), WRONG)
async def test_what_is_wrong_is_refused_by_its_name(module_town: Town, wrong: dict[str, Any], path: str) -> None:
    owner = module_town.client(Standing.OWNER)
    refused = await owner.call("updateEvent", id=module_town.event_id, input=wrong)
    assert 400 <= refused.status < 500
    assert [each["path"] for each in refused.problem["errors"]] == [path]
