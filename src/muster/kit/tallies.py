"""Tallies: how much of a bucket has been drawn, kept by one process.

Each tally keeps when its draws leave the window, so a rule holds in any stretch of its length, and the wait is known.
Up to sixty draws are kept to the moment. Larger buckets are kept in sixtieths of their window, and what was drawn in one
counts until all of it has left: never one too many, at most a sixtieth of the window too long, and sixty numbers at most.
`shared_tallies.py` keeps the same in the store.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from uuid import UUID

from muster.kit.limits import Limit, Rule

FINENESS = 60
"""Parts of a window that are told apart where a bucket holds more than that."""
MOST_TALLIES = 20_000
"""More are not kept by one process: the tally that was used least recently is forgotten first."""
VIOLATIONS = 5
"""So many refusals within a window, and whoever was refused is banned for one."""


@dataclass(frozen=True, eq=False)
class Bucket:
    """One rule of a limit, in force."""

    limit: Limit
    rule: Rule
    part: float
    """Seconds that are not told apart; 0 is to the moment."""
    policy: str
    """As the header `RateLimit-Policy` has it."""

    @classmethod
    def of(cls, limit: Limit, rule: Rule) -> Self:
        """The bucket of a rule."""
        part = rule.seconds / FINENESS if rule.most > FINENESS else 0.0
        return cls(limit, rule, part, f'"{limit}";q={rule.most};w={rule.seconds}')


class Draw(NamedTuple):
    """So many (`number`) from a bucket, for one whom it counts as one."""

    bucket: Bucket
    whose: str | UUID
    number: int


class Standing(NamedTuple):
    """What became of draws: how full the bucket is that matters most. wait: seconds to come back in; 0 was let in."""

    bucket: Bucket
    used: int
    wait: float

    @property
    def room(self) -> int:
        """How many more there may be."""
        return self.bucket.rule.most - self.used


@dataclass(slots=True, eq=False)
class Arrival:
    """A request or socket on its way in.

    draws: of the edge, which are still to be made. alone: they are being made without others. standing: in the tightest
    bucket that it drew from.
    """

    draws: tuple[Draw, ...] = ()
    alone: asyncio.Future[Standing] | None = None
    standing: Standing | None = None


@dataclass(slots=True)
class _Tally:
    ends: deque[float] = field(default_factory=deque)
    counts: deque[int] = field(default_factory=deque)
    used: int = 0
    refusals: int = 0
    refused_since: float = 0.0
    banned_until: float = 0.0

    def wait(self, rule: Rule, number: int, now: float) -> float:
        """Seconds until so many may be drawn; 0 when they may be now."""
        ends = self.ends
        while ends and ends[0] <= now:
            ends.popleft()
            self.used -= self.counts.popleft()
        if now < self.banned_until:
            return self.banned_until - now
        over = self.used + number - rule.most
        if over <= 0:
            return 0.0
        if number > rule.most:
            return rule.seconds
        for end, drawn in zip(ends, self.counts, strict=True):
            over -= drawn
            if over <= 0:
                return end - now
        raise AssertionError("what is drawn is more than was drawn")

    def add(self, bucket: Bucket, number: int, now: float) -> None:
        """Draw so many, which there is room for."""
        part = bucket.part
        end = bucket.rule.seconds + (now if part == 0 else -(-now // part) * part)
        self.used += number
        if part and self.ends and self.ends[-1] >= end:
            self.counts[-1] += number
        else:
            self.ends.append(end)
            self.counts.append(number)

    def refuse(self, rule: Rule, now: float) -> None:
        """Count a refusal; the last of too many bans."""
        if now - self.refused_since >= rule.seconds:
            self.refusals, self.refused_since = 0, now
        self.refusals += 1
        if self.refusals == VIOLATIONS:
            self.banned_until = now + rule.seconds


class Tallies:
    """The tallies of one process. bans: whether who does not stop is banned. clock: seconds that only grow."""

    def __init__(self, *, bans: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._bans = bans
        self._clock = clock
        self._kept: OrderedDict[tuple[Bucket, str | UUID], _Tally] = OrderedDict()

    def take(self, draws: Sequence[Draw]) -> Standing:
        """Make all of these draws or, where one finds no room, none.

        Nothing is awaited in here, so no other draw of this process comes in between.
        """
        now = self._clock()
        if len(draws) > 1:
            return self._take_all(draws, now)
        # Nearly every request draws one by one, so this way is kept short.
        (draw,) = draws
        bucket, tally = draw.bucket, self._tally(draw)
        wait = tally.wait(bucket.rule, draw.number, now)
        if wait > 0:
            return self._refused(bucket, tally, wait, now)
        tally.add(bucket, draw.number, now)
        return Standing(bucket, tally.used, 0.0)

    def _take_all(self, draws: Sequence[Draw], now: float) -> Standing:
        found = [(draw, self._tally(draw)) for draw in draws]
        waits = [tally.wait(draw.bucket.rule, draw.number, now) for draw, tally in found]
        if (longest := max(waits)) > 0:
            draw, tally = found[waits.index(longest)]
            return self._refused(draw.bucket, tally, longest, now)
        for draw, tally in found:
            tally.add(draw.bucket, draw.number, now)
        return min((Standing(draw.bucket, tally.used, 0.0) for draw, tally in found), key=lambda each: each.room)

    def _refused(self, bucket: Bucket, tally: _Tally, wait: float, now: float) -> Standing:
        if self._bans and now >= tally.banned_until:
            tally.refuse(bucket.rule, now)
            wait = max(wait, tally.banned_until - now)
        return Standing(bucket, tally.used, wait)

    def _tally(self, draw: Draw) -> _Tally:
        key = (draw.bucket, draw.whose)
        tally = self._kept.get(key)
        if tally is None:
            if len(self._kept) >= MOST_TALLIES:
                self._kept.popitem(last=False)
            tally = self._kept[key] = _Tally()
        else:
            self._kept.move_to_end(key)
        return tally
