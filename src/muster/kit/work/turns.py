"""Whose turn it is: the place that a job gets in its queue, so that no tenant stands in the way of others.

A tenant's n-th waiting job of a queue stands as if it had come n minutes later. So a tenant with a hundred thousand
jobs goes on whenever nobody else has anything to do, and somebody's first job is next in line whatever waits; yet none
of the hundred thousand waits for ever, because minutes pass. The place is worked out once, when the job is queued, and
is a number that the library sorts by; taking a job costs nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NewType
from uuid import UUID

import asyncpg

from muster.kit.work.terms import Terms

Place = NewType("Place", int)
"""Seconds after 2026 began; the earlier goes first."""

_STEP = 60
# The library sorts by a priority of 32 bits, the largest first: three bands of 34 years each.
_BAND = 2**30
_PLACES = """
select w.queue, w.tenant, extract(epoch from clock_timestamp() - '2026-01-01 00:00Z')::bigint as now,
       (select q.priority from pgqueuer.pgqueuer q
         where q.entrypoint = w.queue and left(q.dedupe_key, 36) = w.tenant::text and q.status = 'queued'
         order by q.priority limit 1) as last
  from unnest($1::text[], $2::uuid[]) as w(queue, tenant)
"""


@dataclass(frozen=True)
class Turn:
    """Where a job stands: the library's priority, and how long it is put aside for others of its tenant."""

    priority: int
    parked: timedelta | None


class Turns:
    """The places of the jobs of one batch. The sequencer's lock makes sure that no other batch is placed meanwhile."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, UUID], int] = {}
        self._now = 0

    @classmethod
    async def of(cls, connection: asyncpg.Connection, waiting: Sequence[tuple[str, UUID, Terms]]) -> "Turns":
        """Find the places after which the jobs of queues and tenants stand."""
        turns, terms = cls(), {(queue, tenant): terms for queue, tenant, terms in waiting}
        rows = await connection.fetch(_PLACES, [queue for queue, _ in terms], [tenant for _, tenant in terms])
        for row in rows:
            key, turns._now = (row["queue"], row["tenant"]), row["now"]
            after = 0 if row["last"] is None else _place(row["last"], terms[key]) + _STEP
            turns._next[key] = max(row["now"], after)
        return turns

    def take(self, queue: str, tenant: UUID, terms: Terms) -> Turn:
        """The next place of a tenant in a queue."""
        place = self._next[queue, tenant]
        self._next[queue, tenant] = place + _STEP
        ahead = (place - self._now) // _STEP
        over = terms.tenant_at_once and ahead - terms.tenant_at_once + 1
        return Turn(_priority(place, terms), timedelta(seconds=over * _STEP) if over > 0 else None)


def _priority(place: int, terms: Terms) -> int:
    return terms.priority * _BAND - min(max(place, 0), _BAND - 1)


def _place(priority: int, terms: Terms) -> int:
    """The place that a priority was made from; one of an older release counts as the very first."""
    return min(max(terms.priority * _BAND - priority, 0), _BAND - 1)
