"""Reading facts by their positions, one tenant at a time."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Text, Uuid, any_, bindparam, func, select

from muster.kit.commands.facts import Fact, read_fact
from muster.kit.commands.tables import FactRow
from muster.kit.db.database import Database
from muster.kit.db.statements import Row, Statement, columns


class PlacedFact(Row):
    """A stored fact with its position.

    aggregate_id: of what it is about, which is the topic of its streams. trace: the step that recorded it, if any.
    """

    position: int
    kind: str
    version: int
    aggregate_id: UUID
    data: str
    trace: str | None = None

    def read(self) -> Fact | None:
        """The fact itself, or None when this release does not know its kind and version."""
        return read_fact(self.kind, self.version, self.data)


class _Newest(Row):
    position: int


_OF_TENANT = (
    select(*columns(PlacedFact, FactRow))
    .where(FactRow.tenant_id == bindparam("tenant", type_=Uuid()))
    .where(FactRow.position > bindparam("after", type_=BigInteger()))
    .order_by(FactRow.position)
    .limit(bindparam("size", type_=Integer()))
)
_FACTS_OF_TENANT = Statement(PlacedFact, _OF_TENANT)
_FACTS_OF_TOPIC = Statement(
    PlacedFact,
    _OF_TENANT.where(
        FactRow.aggregate_id == bindparam("topic", type_=Uuid()),
        FactRow.kind == any_(bindparam("kinds", type_=ARRAY(Text()))),
    ),
)
_NEWEST_POSITION = Statement(
    _Newest,
    select(func.coalesce(func.max(FactRow.position), 0).label("position")).where(
        FactRow.tenant_id == bindparam("tenant", type_=Uuid())
    ),
)


async def facts_of_tenant(database: Database, tenant_id: UUID, *, after: int, limit: int) -> list[PlacedFact]:
    """At most `limit` facts of a tenant behind a position, in order."""
    async with database.transaction(tenant_id) as tx:
        return await tx.all(_FACTS_OF_TENANT, tenant=tenant_id, after=after, size=limit)


async def facts_of_topic(
    database: Database, tenant_id: UUID, topic_id: UUID, kinds: Collection[str], *, after: int, limit: int
) -> list[PlacedFact]:
    """At most `limit` facts of some kinds about one topic behind a position, in order."""
    async with database.transaction(tenant_id) as tx:
        return await tx.all(
            _FACTS_OF_TOPIC, tenant=tenant_id, after=after, size=limit, topic=topic_id, kinds=list(kinds)
        )


async def newest_position(database: Database, tenant_id: UUID) -> int:
    """The highest position among a tenant's facts; 0 when there is none."""
    async with database.transaction(tenant_id) as tx:
        newest = await tx.one(_NEWEST_POSITION, tenant=tenant_id)
    return 0 if newest is None else newest.position
