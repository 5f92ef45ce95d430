"""Topics: a community names its categories and tags, events are given them and found by them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from muster.events.topics.rules import STARTERS, slug_problem
from muster.events.topics.tables import TopicKind
from muster.testing.below import ask, change
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town, event_input, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_town: Town) -> Town:
    """A town whose event's owner is a moderator of the community."""
    owner = module_town.people[Standing.OWNER].user_id
    await change(module_town.service.urls, "update members set role = 'moderator' where user_id = $1", owner)
    return module_town


async def _make(client: Client, slug: str, kind: str = "CATEGORY", **names: str) -> UUID:
    named = [{"language": language, "name": name} for language, name in (names or {"en": slug.title()}).items()]
    made: Any = (await client.call("createTopic", input={"kind": kind, "slug": slug, "names": named})).ok()
    return UUID(made["id"])


async def _titles(client: Client, **filters: Any) -> list[str]:
    return sorted(each["title"] for each in (await client.call("events", filter=filters)).ok()["items"])


@pytest.mark.parametrize("way", Way)
async def test_a_topic_is_made_found_renamed_and_deleted(town: Town, way: Way) -> None:
    owner, visitor = town.client(Standing.OWNER), town.client(Standing.ANONYMOUS)
    slug = f"juggling-{way.lower()}"
    topic_id = await _make(owner, slug, en="Juggling", pl="Żonglerka")
    assert (await visitor.call("topic", way=way, id=topic_id)).ok()["names"] == {"en": "Juggling", "pl": "Żonglerka"}
    for words in ("zongl", "JUGG", slug):
        found = (await visitor.call("topics", way=way, filter={"text": words, "slug": [slug]})).ok()
        assert [each["id"] for each in (found.get("items") or found.get("nodes"))] == [str(topic_id)]
    renamed = {"slug": f"{slug}-2", "names": [{"language": "de", "name": "Jonglieren"}]}
    shown = (await owner.call("updateTopic", way=way, id=topic_id, input=renamed)).ok()
    assert (shown["slug"], shown["names"]) == (f"{slug}-2", {"de": "Jonglieren"})
    (await owner.call("deleteTopic", way=way, id=topic_id)).ok()
    assert (await visitor.call("topic", way=way, id=topic_id)).missing
    assert (await owner.call("deleteTopic", way=way, id=topic_id)).code == "TOPIC_NOT_FOUND"


async def test_events_have_categories_and_are_found_by_them(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    chess, go = [await _make(owner, slug) for slug in ("chess", "go")]
    await make_event(owner, title="Both", categories=["go", "chess", "go"], tags=[])
    event_id = await make_event(owner, title="Go alone", categories=["go"], tags=[])
    assert (await owner.call("event", id=event_id)).ok()["categories"] == ["go"]
    assert await _titles(owner, category=["chess"]) == ["Both"]
    assert await _titles(owner, category=["chess", "go"]) == ["Both", "Go alone"]
    assert await _titles(owner, category=["checkers"]) == []
    changed = (await owner.call("updateEvent", id=event_id, input={"categories": ["chess"]})).ok()
    assert changed["categories"] == ["chess"]
    assert (await owner.call("updateEvent", id=event_id, input={"title": "Chess alone"})).ok()["categories"] == [
        "chess"
    ]
    usage = (await owner.call("topicUsage", id=chess)).ok()
    assert usage["eventsCount"] == 2
    (await owner.call("deleteTopic", id=chess)).ok()
    assert (await owner.call("event", id=event_id)).ok()["categories"] == []
    assert (await owner.call("topicUsage", id=go)).ok()["eventsCount"] == 1


async def test_a_tag_that_is_renamed_or_deleted_is_so_on_every_event(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    both = await make_event(owner, title="Old and new", tags=["old word", "new word"])
    one = await make_event(owner, title="Old", tags=["Old Word", "other"])
    tag = await _make(owner, "old word", "TAG")
    assert (await owner.call("topicUsage", id=tag)).ok()["eventsCount"] == 2
    (await owner.call("updateTopic", id=tag, input={"slug": "new word"})).ok()
    assert (await owner.call("event", id=both)).ok()["tags"] == ["new word"]
    assert (await owner.call("event", id=one)).ok()["tags"] == ["new word", "other"]
    (await owner.call("deleteTopic", id=tag)).ok()
    assert (await owner.call("event", id=one)).ok()["tags"] == ["other"]


async def test_what_is_wrong_with_an_events_categories_is_told_by_place(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    known = await _make(owner, "known")
    event_id = await make_event(owner, title="Known", categories=["known"])
    refused = await owner.call("updateEvent", id=event_id, input={"categories": ["known", "unknown"]})
    assert (refused.status, refused.problem["errors"][0]["path"]) == (422, "categories[1]")
    assert (await owner.call("event", id=event_id)).ok()["categories"] == ["known"]
    many = await owner.call("updateEvent", id=event_id, input={"categories": ["known"] * 4})
    assert many.status == 422
    (await owner.call("deleteTopic", id=known)).ok()


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"kind": "CATEGORY", "slug": "Board Games"}, "input.slug"),
        ({"kind": "CATEGORY", "slug": "spiele-"}, "input.slug"),
        ({"kind": "TAG", "slug": " two"}, "input.slug"),
        ({"kind": "TAG", "slug": "Capital"}, "input.slug"),
        ({"names": []}, "input.names"),
        ({"names": [{"language": "en", "name": "A"}, {"language": "en", "name": "B"}]}, "input.names[1].language"),
        ({"names": [{"language": "klingon", "name": "A"}]}, "input.names[0].language"),
    ],
)
async def test_a_topic_that_breaks_a_rule_is_refused_by_field(town: Town, input: dict[str, Any], path: str) -> None:
    whole = {"kind": "TAG", "slug": "a", "names": [{"language": "en", "name": "A"}], **input}
    answer = await town.client(Standing.OWNER).call("createTopic", input=whole)
    assert answer.status == 422
    assert answer.problem["errors"][0]["path"].removeprefix("input.") == path.removeprefix("input.")


@pytest.mark.parametrize("standing", [Standing.ANONYMOUS, Standing.OUTSIDER, Standing.MEMBER, Standing.OTHER_TENANT])
async def test_topics_are_named_by_who_may(town: Town, standing: Standing) -> None:
    owner, client = town.client(Standing.OWNER), town.client(standing)
    topic_id = await _make(owner, f"theirs-{standing.lower().replace('_', '-')}")
    before = (await owner.call("topic", id=topic_id)).ok()
    for name, given in (
        ("updateTopic", {"id": topic_id, "input": {"names": [{"language": "en", "name": "Mine"}]}}),
        ("deleteTopic", {"id": topic_id}),
        ("topicUsage", {"id": topic_id}),
    ):
        refused = await client.call(name, **given)
        assert refused.status in (401, 403, 404), (name, refused)
    assert (await owner.call("topic", id=topic_id)).ok() == before


async def test_of_many_who_take_one_slug_at_once_one_gets_it(town: Town) -> None:
    """Some make it, others rename theirs to it."""
    owner = town.client(Standing.OWNER)
    others = [await _make(owner, f"racer-{number}") for number in range(4)]
    made = {"kind": "CATEGORY", "slug": "wanted", "names": [{"language": "en", "name": "Wanted"}]}
    answers = await asyncio.gather(
        *(owner.call("createTopic", input=made) for _ in range(4)),
        *(owner.call("updateTopic", id=each, input={"slug": "wanted"}) for each in others),
    )
    assert sorted(each.code or "" for each in answers) == ["", *["TOPIC_TAKEN"] * 7]


async def test_a_category_that_is_deleted_while_events_are_given_it_leaves_nothing_behind(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    topic_id = await _make(owner, "fleeting")
    making = [owner.call("createEvent", input=_draft(number)) for number in range(6)]
    *made, deleted = await asyncio.gather(*making, owner.call("deleteTopic", id=topic_id))
    deleted.ok()
    assert {each.status for each in made} <= {201, 422}
    left = await ask(town.service.urls, "select 1 from event_categories where topic_id = $1", topic_id)
    assert left == []


def _draft(number: int) -> dict[str, Any]:
    return event_input(title=f"Fleeting {number}", categories=["fleeting"], tags=[])


async def test_the_starters_are_topics_that_anybody_could_make() -> None:
    for slug, names in STARTERS.items():
        assert slug_problem(TopicKind.CATEGORY, slug) is None
        assert names.keys() == {"en", "de", "pl"}
