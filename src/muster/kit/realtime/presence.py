"""Presence: who follows a topic now. A person is there once, by however many sockets, in however many processes.

Each process says every second who is there by it, and reads who is there by others. With a shared store that is a key
whose part of a process lapses when it is not said again; so whoever was there by a process that was killed is gone
seconds later. Without a store there is one process, and it knows.
"""

import asyncio
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

import structlog

from muster.kit.ids import new_id
from muster.kit.realtime.signals import Presence, SignalSubscription, written
from muster.kit.realtime.stream import Resync, Stream
from muster.kit.store.connection import StoreDown, StoreRefused
from muster.kit.store.store import Script, Store
from muster.kit.waiting import set_within

log = structlog.get_logger()

_ROUND_SECONDS = 1.0
_GATHER_SECONDS = 0.1
_LAPSE_MILLISECONDS = 5_000
_MOST_NAMED = 1_000

# KEYS: the topic's hash. ARGV: this process, how long its word holds, the ids of who is there by it, 16 bytes each.
# Answers with the same of every process whose word still holds, by the clock of the store.
_SAY = Script(
    """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + ARGV[2]) .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local here, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local space = string.find(all[i + 1], ' ', 1, true)
  if tonumber(string.sub(all[i + 1], 1, space - 1)) > now then
    here[#here + 1] = string.sub(all[i + 1], space + 1)
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return here
"""
)


class Register(Protocol):
    """Where processes say who is there."""

    async def say(self, place: str, own: Collection[UUID]) -> set[UUID] | None:
        """Say who is at a place by this process; answers with everybody who is, None when that cannot be known now."""

    def forget(self, place: str) -> None:
        """Say that nobody is there by this process any more."""


class OneProcess:
    """The register of a process that shares nothing."""

    async def say(self, place: str, own: Collection[UUID]) -> set[UUID] | None:
        """As `Register.say`."""
        return set(own)

    def forget(self, place: str) -> None:
        """As `Register.forget`."""


class SharedRegister:
    """The register of processes that share a store. prefix: of its keys, the same in all of them."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._process = new_id().bytes

    async def say(self, place: str, own: Collection[UUID]) -> set[UUID] | None:
        """As `Register.say`."""
        ids = b"".join(each.bytes for each in own)
        try:
            said = await self._store.run(
                _SAY, keys=[self._prefix + place], arguments=[self._process, _LAPSE_MILLISECONDS, ids]
            )
        except StoreDown:
            return None
        return {UUID(bytes=one[start : start + 16]) for one in said for start in range(0, len(one), 16)}

    def forget(self, place: str) -> None:
        """As `Register.forget`."""
        if self._store.is_there:
            self._store.ask("HDEL", self._prefix + place, self._process)


class Presences:
    """Who is there by this process, at every place that somebody follows."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._rolls: dict[str, _Roll] = {}

    @contextmanager
    def at(self, stream: Stream) -> Iterator[None]:
        """Have the stream's person there meanwhile, and tell the stream who else is."""
        place = f"{stream.claim.tenant_id}:{stream.topic_id}:{stream.request.subscription.name}"
        if place not in self._rolls:
            self._rolls[place] = _Roll(self._register, place)
        roll = self._rolls[place]
        roll.add(stream)
        try:
            yield
        finally:
            if roll.remove(stream):
                del self._rolls[place]


class _Roll:
    """Who is at one place, as its streams were told."""

    def __init__(self, register: Register, place: str) -> None:
        self._register, self._place = register, place
        self._streams: set[Stream] = set()
        self._untold: set[Stream] = set()
        self._told: set[UUID] = set()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def add(self, stream: Stream) -> None:
        """Somebody comes."""
        self._untold.add(stream)
        self._changed.set()

    def remove(self, stream: Stream) -> bool:
        """Somebody goes; answers whether nobody is left, and the roll is closed."""
        self._streams.discard(stream)
        self._untold.discard(stream)
        self._changed.set()
        if self._streams or self._untold:
            return False
        self._task.cancel()
        self._register.forget(self._place)
        return True

    async def _run(self) -> None:
        while True:
            await set_within(self._changed, _ROUND_SECONDS)
            # Who comes or goes at nearly the same time is told together: a crowd costs each of it a few elements.
            await asyncio.sleep(_GATHER_SECONDS)
            self._changed.clear()
            try:
                await self._round()
            except StoreRefused as refusal:
                log.warning("presence.refused", error=str(refusal))

    async def _round(self) -> None:
        present = [each.claim.user_id for each in (*self._streams, *self._untold) if not each.ended]
        here = await self._register.say(self._place, {user_id for user_id in present if user_id is not None})
        if here is None:
            return
        if here != self._told:
            _tell(self._streams, here, here - self._told, self._told - here)
        untold, self._untold, self._told = self._untold, set(), here
        _tell(untold, here, here, set())
        self._streams |= untold


def _tell(streams: Collection[Stream], here: set[UUID], arrived: set[UUID], left: set[UUID]) -> None:
    bodies: dict[Hashable, bytes] = {}
    for stream in streams:
        if stream.selection not in bodies:
            bodies[stream.selection] = _element(stream, len(here), arrived, left)
        if not stream.hand_out(bodies[stream.selection]):
            stream.forget()
            stream.end(Resync())


def _element(stream: Stream, count: int, arrived: set[UUID], left: set[UUID]) -> bytes:
    subscription = stream.request.subscription
    if not (isinstance(subscription, SignalSubscription) and issubclass(subscription.tells, Presence)):
        raise TypeError(f"{subscription.name} does not tell who is there")
    told = subscription.tells(count=count, arrived=sorted(arrived)[:_MOST_NAMED], left=sorted(left)[:_MOST_NAMED])
    return written(told, stream.request)
