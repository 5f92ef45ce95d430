"""What waits for many is handed out together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import msgspec

from muster.kit.caller import Claim
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.tests.support import Community, heard, messages_of, origin_of


async def test_what_waits_is_sent_together_to_each_tab_of_whoever_may_have_it(town: Community) -> None:
    owner, other = await town.person("Owner"), await town.person("Other")
    event_id = await town.event(owner)
    await town.run(other, "joinEvent", eventId=event_id)
    said = [str(number) for number in range(12)]
    # It hears of nothing, so what is said within a second waits for its poll.
    deaf = Hub(town.database, town.services.gate, town.urls.app)
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        tabs = [await stack.enter_async_context(_tab(deaf, event_id, claim)) for claim in (owner, owner, other)]
        for content in said:
            await town.say(owner, event_id, content)
        for writes, full in tabs:
            await full.wait()
            assert [content for write in writes for content in write] == said
            assert len(writes) < len(said)


@asynccontextmanager
async def _tab(hub: Hub, event_id: UUID, claim: Claim) -> AsyncIterator[tuple[list[list[str]], asyncio.Event]]:
    """A client that takes whatever it is sent meanwhile: what each write held, and whether it has had the last of it."""
    writes: list[list[str]] = []
    full = asyncio.Event()

    def push(elements: Sequence[bytes]) -> bool:
        writes.append([msgspec.json.decode(each)["data"]["added"]["message"]["content"] for each in elements])
        if writes[-1][-1] == "11":
            full.set()
        return True

    async with hub.open(messages_of(event_id), origin_of(claim), push=push) as stream:
        waiting = asyncio.create_task(heard(stream))
        yield writes, full
        waiting.cancel()
