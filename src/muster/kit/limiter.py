"""Rate limits as requests meet them: at the edge by address, then by verb, over every way in.

Without a store one process counts for itself. With one, what a request draws in all is one script in one trip; the draw of
its address waits for the others until the event loop turns, and goes alone where they take longer.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address

import structlog

from muster.kit.caller import Origin
from muster.kit.errors import TooMany, Unavailable
from muster.kit.limits import GLOBAL, Limit, Rules
from muster.kit.metrics import LIMITS_WITHOUT_STORE
from muster.kit.shared_tallies import SharedTallies
from muster.kit.store.connection import StoreDown, StoreRefused
from muster.kit.store.store import Store
from muster.kit.tallies import Arrival, Bucket, Draw, Standing, Tallies

log = structlog.get_logger()

_IPV6_NETWORK = 64
"""Bits; a household or a server has all addresses of such a network (RFC 6177), so they are one caller."""


class Limiter:
    """Holds rates.

    rules: of each limit; without any, nobody is held back. is_production: whether to ban those who do not stop. store:
    where processes count together. clock: of this process alone, seconds that only grow.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        is_production: bool = False,
        store: Store | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = {
            limit: tuple(Bucket.of(limit, rule) for rule in given) for limit, given in (rules or {}).items()
        }
        self._tallies = Tallies(bans=is_production, clock=clock)
        self._shared = None if store is None else SharedTallies(store, bans=is_production)
        self._told = ""

    def enter(self, address: str | None) -> Arrival | None:
        """Count a request or socket of an address; None where nothing is counted. Raises TooMany."""
        if address is None or not (buckets := self._buckets.get(GLOBAL)):
            return None
        whose = _network(address)
        arrival = Arrival(tuple(Draw(bucket, whose, 1) for bucket in buckets))
        if self._shared is None:
            edge, arrival.draws = arrival.draws, ()
            _let_in(self._tallies.take(edge), arrival)
        else:
            asyncio.get_running_loop().call_soon(self._send_alone, arrival)
        return arrival

    async def draw(self, limits: Sequence[Limit], origin: Origin) -> None:
        """Count the endpoints that one request asks for, all of them or, when one is over its limit, none.

        limits: of each endpoint, the same one as often as it is asked for; without any, only the address counts.
        Raises TooMany, and Unavailable for a limit that is closed while the store is away.
        """
        if not self._buckets:
            return
        if len(limits) == 1:
            draws = self._draws(limits[0], 1, origin)
        else:
            draws = [draw for limit, number in Counter(limits).items() for draw in self._draws(limit, number, origin)]
        arrival = origin.arrival
        if self._shared is None:
            if draws:
                _let_in(self._tallies.take(draws), arrival)
            return
        edge: tuple[Draw, ...] = ()
        if arrival is not None:
            edge, arrival.draws = arrival.draws, ()
            if arrival.alone is not None:
                _let_in(await arrival.alone, arrival)
        if edge or draws:
            _let_in(await self._ask(self._shared, edge, draws), arrival)

    def _draws(self, limit: Limit, number: int, origin: Origin) -> list[Draw]:
        # Each key has rates of its own, so that no program uses up what its holder has.
        claim = origin.claim
        caller = claim.user_id if claim.scopes is None else claim.session_id
        whose = _network(origin.address or "") if limit.by == "address" or caller is None else caller
        return [Draw(bucket, whose, number) for bucket in self._buckets.get(limit, ())]

    def _send_alone(self, arrival: Arrival) -> None:
        """Count an address whose request has drawn nothing else in this turn of the loop."""
        edge, arrival.draws = arrival.draws, ()
        if edge and self._shared is not None:
            arrival.alone = asyncio.ensure_future(self._ask(self._shared, edge, ()))

    async def _ask(self, shared: SharedTallies, edge: Sequence[Draw], draws: Sequence[Draw]) -> Standing:
        try:
            return await shared.take(edge, draws)
        except (StoreDown, StoreRefused) as fault:
            self._tell(fault)
        if any(each.bucket.limit.without_store == "closed" for each in draws):
            LIMITS_WITHOUT_STORE.labels("refused").inc()
            if edge:
                _let_in(self._tallies.take(edge), None)
            raise Unavailable("This cannot be counted right now, so it waits; try again in a moment.")
        LIMITS_WITHOUT_STORE.labels("counted_here").inc()
        return self._tallies.take((*edge, *draws))

    def _tell(self, fault: StoreDown | StoreRefused) -> None:
        """Log what the store has against us, once and not for each request. That it is away, it tells itself."""
        if isinstance(fault, StoreRefused) and str(fault) != self._told:
            self._told = str(fault)
            log.warning("limits.store_refuses", error=self._told)


def _let_in(standing: Standing, arrival: Arrival | None) -> None:
    """Note how a request stands. Raises TooMany where it has to wait."""
    if standing.wait > 0:
        raise _too_many(standing)
    if arrival is not None and (arrival.standing is None or standing.room < arrival.standing.room):
        arrival.standing = standing


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


def _too_many(standing: Standing) -> TooMany:
    """The refusal, with what a client has to know to come back at the right moment."""
    bucket, count = standing.bucket, standing.used
    rule, after = bucket.rule, max(1, math.ceil(standing.wait))
    remaining = max(0, standing.room)
    return TooMany(
        f"At most {rule.most} in {rule.seconds} seconds ({bucket.limit}); come back in {after} seconds.",
        headers={
            "Retry-After": str(after),
            "RateLimit-Policy": bucket.policy,
            "RateLimit": f'"{bucket.limit}";r={remaining};t={after}',
            "X-RateLimit-Limit": str(rule.most),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(after),
        },
        details={"retryAfter": after, "bucket": bucket.limit.name, "currentCount": count, "maxAllowed": rule.most},
    )
