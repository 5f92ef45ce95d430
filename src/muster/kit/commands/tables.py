"""The tables behind every command: facts, the outbox, the audit log."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from muster.kit.db.tables import Erasure, Json, Table, TenantTable, personal, plain


class FactRow(TenantTable):
    """A recorded fact. Its position is given by the sequencer, in the order in which positions become visible.

    trace: the step that recorded it, as a `traceparent`; null where nothing was traced.
    """

    __tablename__ = "facts"
    __table_args__ = (
        Index("facts_position_idx", "tenant_id", "position", postgresql_where="position is not null"),
        Index("facts_topic_idx", "tenant_id", "aggregate_id", "position", postgresql_where="position is not null"),
    )
    person: ClassVar[str | None] = "actor_id"
    erasure: ClassVar[Erasure] = Erasure.KEEP

    kind: Mapped[str] = plain()
    version: Mapped[int] = plain()
    aggregate_id: Mapped[UUID] = plain()
    data: Mapped[Json] = plain(withheld=True)
    actor_kind: Mapped[str] = plain()
    actor_id: Mapped[UUID | None] = personal()
    request_id: Mapped[str] = plain()
    at: Mapped[datetime] = plain()
    position: Mapped[int | None] = plain()
    trace: Mapped[str | None] = plain()


class OutboxRow(Table):
    """A fact that the sequencer has not seen yet; `turn` keeps the order of writing."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_turn_idx", "turn"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, info={"personal": False})
    fact_id: Mapped[UUID] = mapped_column(primary_key=True, info={"personal": False})
    turn: Mapped[int] = plain(Identity(always=True))


class AuditRow(TenantTable):
    """Who did what, and how it ended. Rows are only ever added."""

    __tablename__ = "audit_rows"
    __table_args__ = (Index("audit_rows_at_idx", "tenant_id", "at", "id"),)
    person: ClassVar[str | None] = "actor_id"
    erasure: ClassVar[Erasure] = Erasure.KEEP
    outlives_tenant: ClassVar[bool] = True

    at: Mapped[datetime] = plain()
    actor_kind: Mapped[str] = plain()
    actor_id: Mapped[UUID | None] = personal()
    reason: Mapped[str | None] = plain()
    verb: Mapped[str] = plain()
    outcome: Mapped[str] = plain()
    object_kind: Mapped[str | None] = plain()
    object_id: Mapped[UUID | None] = plain()
    address: Mapped[str | None] = personal()
    agent: Mapped[str | None] = personal()
    request_id: Mapped[str] = plain()


class IdempotencyKey(TenantTable):
    """What became of a request that carried a key; the id is made of tenant, caller and key.

    outcome: as `Outcome.written` gives it, with ids, the values of payloads and the words of refusals.
    """

    __tablename__ = "idempotency_keys"
    # Across tenants, since that is how the schedule looks for old ones.
    __table_args__ = (Index("idempotency_keys_at_idx", "at"),)
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID | None] = personal()
    fingerprint: Mapped[str] = plain()
    at: Mapped[datetime] = plain()
    outcome: Mapped[Json | None] = personal()
