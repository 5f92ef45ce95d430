"""Rate limits, held by one process: no bucket is overdrawn by one, and no flood of callers fills the memory.

Each tally keeps the moments of the draws in its window, so the limit holds in any stretch of that length, and the wait
is known exactly. Looking and drawing happen without an await between, so nothing in the process comes in between.
"""

import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from muster.kit.caller import Origin
from muster.kit.errors import TooMany
from muster.kit.limits import AUTH, GLOBAL, GLOBAL_DEVELOPMENT, Limit, Rule, Rules

MOST_TALLIES = 20_000
"""More are not kept: the tally that was used least recently is forgotten first."""
VIOLATIONS = 5
"""So many refusals within a window, and whoever was refused is banned for one."""
_IPV6_NETWORK = 64
"""Bits; a household or a server has all addresses of such a network (RFC 6177), so they are one caller."""


@dataclass(slots=True)
class _Tally:
    rule: Rule
    drawn: deque[float] = field(default_factory=deque)
    refusals: int = 0
    refused_since: float = 0.0
    banned_until: float = 0.0

    def wait(self, count: int, now: float) -> float:
        """Seconds until so many may be drawn; 0 when they may be now."""
        drawn, rule = self.drawn, self.rule
        while drawn and drawn[0] <= now - rule.seconds:
            drawn.popleft()
        if now < self.banned_until:
            return self.banned_until - now
        over = len(drawn) + count - rule.most
        if over <= 0:
            return 0.0
        return rule.seconds if count > rule.most else drawn[over - 1] + rule.seconds - now

    def refuse(self, now: float) -> None:
        """Count a refusal; the last of too many bans."""
        if now - self.refused_since >= self.rule.seconds:
            self.refusals, self.refused_since = 0, now
        self.refusals += 1
        if self.refusals == VIOLATIONS:
            self.banned_until = now + self.rule.seconds


Want = tuple[Limit, str, int]
"""A bucket, whose it is, and how many are drawn."""


class Limiter:
    """Holds the rates of one process.

    rules: of each limit; a limit without rules here holds nobody back. is_production: whether to hold strangers to the
    rates of production, and to ban those who do not stop. clock: seconds that only grow.
    """

    def __init__(
        self, rules: Rules | None = None, *, is_production: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules or {}
        self._everything = GLOBAL if is_production else GLOBAL_DEVELOPMENT
        self._bans = is_production
        self._clock = clock
        self._tallies: OrderedDict[tuple[Limit, Rule, str], _Tally] = OrderedDict()

    def enter(self, address: str | None) -> None:
        """Count a request or socket of an address. Raises TooMany."""
        if self._rules and address is not None:
            self._draw([(self._everything, _network(address), 1)])

    def draw(self, limits: Iterable[Limit], origin: Origin) -> None:
        """Count the endpoints that one request asks for, all of them or, when one is over its limit, none.

        limits: of each endpoint, the same one as often as it is asked for. Raises TooMany.
        """
        if not self._rules:
            return
        address = _network(origin.address or "")
        person = origin.claim.user_id
        caller = address if person is None else str(person)
        wants = [(each, address if each == AUTH else caller, count) for each, count in Counter(limits).items()]
        self._draw(wants)

    def _draw(self, wants: list[Want]) -> None:
        now = self._clock()
        asked = [(want, self._tally(want, rule)) for want in wants for rule in self._rules.get(want[0], ())]
        waits = [tally.wait(want[2], now) for want, tally in asked]
        longest = max(waits, default=0.0)
        if longest > 0:
            want, tally = asked[waits.index(longest)]
            if self._bans and now >= tally.banned_until:
                tally.refuse(now)
                longest = max(longest, tally.wait(want[2], now))
            raise _too_many(want[0], tally, longest)
        for (_, _, count), tally in asked:
            tally.drawn.extend([now] * count)

    def _tally(self, want: Want, rule: Rule) -> _Tally:
        key = (want[0], rule, want[1])
        tally = self._tallies.get(key)
        if tally is None:
            if len(self._tallies) >= MOST_TALLIES:
                self._tallies.popitem(last=False)
            tally = self._tallies[key] = _Tally(rule)
        else:
            self._tallies.move_to_end(key)
        return tally


def _network(address: str) -> str:
    """Whom an address counts for."""
    if ":" not in address:
        return address
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{int(found) >> (128 - _IPV6_NETWORK):x}/{_IPV6_NETWORK}"


def _too_many(bucket: Limit, tally: _Tally, wait: float) -> TooMany:
    """The refusal, with what a client has to know to come back at the right moment."""
    rule, after, count = tally.rule, max(1, math.ceil(wait)), len(tally.drawn)
    remaining = max(0, rule.most - count)
    return TooMany(
        f"At most {rule.most} in {rule.seconds} seconds ({bucket}); come back in {after} seconds.",
        headers={
            "Retry-After": str(after),
            "RateLimit-Policy": f'"{bucket}";q={rule.most};w={rule.seconds}',
            "RateLimit": f'"{bucket}";r={remaining};t={after}',
            "X-RateLimit-Limit": str(rule.most),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(after),
        },
        details={"retryAfter": after, "bucket": bucket, "currentCount": count, "maxAllowed": rule.most},
    )
