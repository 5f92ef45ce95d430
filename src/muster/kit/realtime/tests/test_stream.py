"""A stream by itself: what waits in it, what it sends at once, and in which order."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from muster.kit.caller import Claim
from muster.kit.realtime.stream import Stream, Waiting
from muster.kit.realtime.tests.support import messages_of

_CLAIM, _TOPIC = Claim(UUID(int=1), UUID(int=2), UUID(int=3)), UUID(int=4)


def test_the_streams_of_one_client_share_what_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster.kit.realtime.stream.MOST_BYTES", 10)
    waiting = Waiting()
    first, second, third = (Stream(messages_of(_TOPIC), _CLAIM, _TOPIC, waiting) for _ in range(3))
    for position in range(2):
        first.take([(position, b"x" * 5)])
    second.take([(1, b"y")])
    assert waiting.bytes == 11
    first.take([(2, b"x")])
    assert (first.ended, second.ended, waiting.bytes) == (True, False, 1)
    third.take([(1, b"z" * 20)])
    third.take([(2, b"z")])
    assert (third.ended, second.ended, waiting.bytes) == (True, False, 1)


async def test_what_is_sent_at_once_never_overtakes_what_waits() -> None:
    sent: list[bytes] = []
    is_behind = False

    def push(elements: Sequence[bytes]) -> bool:
        if not is_behind:
            sent.extend(elements)
        return not is_behind

    async def read() -> None:
        async for element in stream:
            sent.append(element)
            # As a socket that writes it when the client has read.
            await asyncio.sleep(0)

    stream = Stream(messages_of(_TOPIC), _CLAIM, _TOPIC, push=push)
    said = [b"%d" % number for number in range(100)]
    stream.take([(1, said[0])])
    reading = asyncio.create_task(read())
    placed = list(enumerate(said))
    for number in range(1, len(said), 3):
        is_behind = number % 7 == 0
        stream.take(placed[number : number + 3])
        for _ in range(number % 4):
            await asyncio.sleep(0)
    for _ in said:
        await asyncio.sleep(0)
    reading.cancel()
    assert sent == said
