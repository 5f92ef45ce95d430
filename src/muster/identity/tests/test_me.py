"""One's own account: what it shows of itself, to whom, and what may be changed."""

from typing import Any

import pytest

from muster.testing.client import Way
from muster.testing.people import Standing, sign_in
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@pytest.mark.parametrize("way", Way)
async def test_a_person_changes_name_language_and_clock(town: Town, way: Way) -> None:
    person = await sign_in(town.service, f"changing {way}")
    before = (await person.client.call("me", way=way)).ok()
    changes = {"name": " Ada L. ", "locale": "pl", "timezone": "Europe/Warsaw"}
    after = (await person.client.call("updateMe", way=way, input=changes)).ok()
    assert after == {**before, **changes, "name": "Ada L."}
    emptied = (await person.client.call("updateMe", way=way, input={"timezone": None})).ok()
    assert emptied == {**after, "timezone": None}
    shown = (await person.client.call("myProfile")).ok()
    assert shown["displayName"] == "Ada L."


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"locale": "Polish"}, "locale"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"email": "new@example.org"}, "email"),
        ({"verifiedAt": None}, "verifiedAt"),
    ],
)
async def test_what_may_not_be_changed_so_is_named(town: Town, changes: dict[str, Any], path: str) -> None:
    member = town.people[Standing.MEMBER]
    before = (await member.client.call("me")).ok()
    answer = await member.client.call("updateMe", input=changes)
    assert answer.status == 422
    assert path in str(answer.problem["errors"][0]["path"])
    assert (await member.client.call("me")).ok() == before
