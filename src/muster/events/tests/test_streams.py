"""What is followed live of an event's room: new words, changed words, and places without words."""

import asyncio
from typing import Any

import msgspec

from muster.kit.db.migrate import Urls
from muster.kit.realtime.stream import Stream, StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.realtime.tests.support import community, heard, messages_of, origin_of
from muster.kit.views.picks import Pick

_SHOWN = tuple(Pick(name, name) for name in ("sequence", "content", "editedAt", "deletedAt"))


def _follow(name: str, event_id: object) -> StreamRequest:
    picks = (Pick("cursor", "cursor"), Pick("message", "message", picks=_SHOWN))
    return StreamRequest(SUBSCRIPTIONS[name], "it", picks, (), {"event_id": event_id}, None)


async def _next(stream: Stream) -> Any:
    async with asyncio.timeout(10):
        return msgspec.json.decode(await anext(stream))["data"]["it"]["message"]


async def test_edits_and_deletions_are_heard_by_who_sits_there(urls: Urls) -> None:
    async with community(urls) as town, town.hub() as hub:
        owner, guest = await town.person("Owner"), await town.person("Guest")
        event_id = await town.event(owner)
        await town.run(guest, "joinEvent", eventId=event_id)
        said = await town.run(owner, "sendEventMessage", eventId=event_id, content="at seven")
        message = {"eventId": event_id, "id": said.row_id}
        updated, deleted = _follow("eventMessageUpdated", event_id), _follow("eventMessageDeleted", event_id)
        async with hub.open(updated, origin_of(guest)) as edits, hub.open(deleted, origin_of(guest)) as deletions:
            await town.run(owner, "editEventMessage", content="at eight", **message)
            edit = await _next(edits)
            assert (edit["sequence"], edit["content"], edit["deletedAt"]) == (1, "at eight", None)
            assert edit["editedAt"] is not None
            await town.run(owner, "deleteEventMessage", **message)
            deletion = await _next(deletions)
            assert (deletion["sequence"], deletion["content"]) == (1, None)
            assert deletion["deletedAt"] is not None


async def test_deleted_words_are_gone_from_streams_that_catch_up(urls: Urls) -> None:
    async with community(urls) as town, town.hub() as hub:
        owner = await town.person("Owner")
        event_id = await town.event(owner)
        async with hub.open(messages_of(event_id), origin_of(owner)) as stream:
            await town.say(owner, event_id, "first")
            _, cursor = await heard(stream)
        said = await town.run(owner, "sendEventMessage", eventId=event_id, content="a secret")
        await town.run(owner, "deleteEventMessage", eventId=event_id, id=said.row_id)
        async with hub.open(messages_of(event_id, cursor), origin_of(owner)) as late:
            assert (await heard(late))[0] is None
