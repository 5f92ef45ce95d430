"""Crowds: calls of one command that wait at the same time share a transaction (docs/decisions/0019).

What a command costs the database is for the most part coming and going: the begin, the lock, the commit and its wait
for the disk. A crowd does each of these once. Nobody waits for company: whoever finds a place free starts at once, and
takes along who has come meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")
Go: TypeAlias = Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]
"""Does it for some at once, and answers with what became of each, in their order."""

# One that waits for the database and one that is ready to: neither the disk nor the processor is idle.
_AT_ONCE = 2
# Whoever comes first waits for the last of them, and all locks are held until then.
_MOST = 64


@dataclass(frozen=True)
class _Place(Generic[T, R]):
    """One that waits."""

    one: T
    outcome: "asyncio.Future[R]"


@dataclass
class _Crowd(Generic[T, R]):
    go: Go[T, R]
    waiting: deque[_Place[T, R]] = field(default_factory=deque)
    under_way: set["asyncio.Task[None]"] = field(default_factory=set)


class Crowds:
    """The crowds of one process, by what they are for."""

    def __init__(self) -> None:
        self._crowds: dict[Hashable, _Crowd[Any, Any]] = {}

    async def join(self, key: Hashable, one: T, go: Go[T, R]) -> R:
        """Go with others, in the order of coming. Raises what became of this one.

        Who gives up while they wait is left out; who gives up later may have gone all the same. go: the same for a key.
        """
        crowd: _Crowd[T, R] = self._crowds.setdefault(key, _Crowd(go))
        place: _Place[T, R] = _Place(one, asyncio.get_running_loop().create_future())
        crowd.waiting.append(place)
        if len(crowd.under_way) < _AT_ONCE:
            crowd.under_way.add(asyncio.create_task(self._drive(key, crowd)))
        return await place.outcome

    async def _drive(self, key: Hashable, crowd: _Crowd[Any, Any]) -> None:
        try:
            while crowd.waiting:
                places = [crowd.waiting.popleft() for _ in range(min(_MOST, len(crowd.waiting)))]
                await _take(crowd.go, [each for each in places if not each.outcome.done()])
        finally:
            # In the turn of the event loop in which nobody waited, so that whoever comes next starts anew.
            task = asyncio.current_task()
            assert task is not None
            crowd.under_way.discard(task)
            if not crowd.under_way:
                self._crowds.pop(key, None)


async def _take(go: Go[T, R], places: Sequence[_Place[T, R]]) -> None:
    try:
        outcomes = await go([each.one for each in places]) if places else ()
        for place, outcome in zip(places, outcomes, strict=True):
            _tell(place, outcome)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told to whoever waits for it
        for place in places:
            _tell(place, error)
    finally:
        # Only where it was ended from outside is there anybody who has not been told.
        for place in places:
            place.outcome.cancel()


def _tell(place: _Place[T, R], outcome: R | Exception) -> None:
    if place.outcome.done():
        return
    if isinstance(outcome, Exception):
        place.outcome.set_exception(outcome)
    else:
        place.outcome.set_result(outcome)
