"""The tables behind every command: facts, the outbox, the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from muster.kit.db.tables import Erasure, Json, Table, TenantTable, one_of, personal, plain, state


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
    is_machinery: ClassVar[bool] = True

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, info={"personal": False})
    fact_id: Mapped[UUID] = mapped_column(primary_key=True, info={"personal": False})
    turn: Mapped[int] = plain(Identity(always=True))


class AuditChain(StrEnum):
    """Which of a tenant's two chains seals an audit row, and so for how long it is kept: money for longer."""

    USUAL = "USUAL"
    MONEY = "MONEY"


class AuditRow(TenantTable):
    """Who did what, and how it ended. Rows are only ever added; a trigger lets only two things happen to them.

    What says who somebody was (`address`, `agent`, `changes`) may be taken away together with `salt`, and old rows go.
    The people's ids stay: once an account is erased, they lead nowhere.
    acted_as: the person as whom `actor_id` acted. changes: what the command changed, before and after, from the
    triggers of `note_changes`. salt: without it nobody can find out by guessing what was taken away.
    """

    __tablename__ = "audit_rows"
    __table_args__ = (
        one_of("chain", AuditChain),
        Index("audit_rows_at_idx", "tenant_id", "at", "id"),
        Index("audit_rows_actor_idx", "tenant_id", "actor_id", "at", "id", postgresql_where="actor_id is not null"),
        Index("audit_rows_acted_as_idx", "tenant_id", "acted_as", "at", "id", postgresql_where="acted_as is not null"),
        Index("audit_rows_object_idx", "tenant_id", "object_id", "at", "id", postgresql_where="object_id is not null"),
        Index("audit_rows_verb_idx", "tenant_id", "verb", "at", "id"),
        Index("audit_rows_refused_idx", "tenant_id", "outcome", "at", "id", postgresql_where="outcome <> 'done'"),
    )
    person: ClassVar[str | None] = "actor_id"
    erasure: ClassVar[Erasure] = Erasure.BLANK
    outlives_tenant: ClassVar[bool] = True

    at: Mapped[datetime] = plain()
    actor_kind: Mapped[str] = plain()
    actor_id: Mapped[UUID | None] = plain()
    acted_as: Mapped[UUID | None] = plain()
    reason: Mapped[str | None] = plain()
    verb: Mapped[str] = plain()
    outcome: Mapped[str] = plain()
    object_kind: Mapped[str | None] = plain()
    object_id: Mapped[UUID | None] = plain()
    address: Mapped[str | None] = personal()
    agent: Mapped[str | None] = personal()
    changes: Mapped[Json | None] = personal()
    salt: Mapped[UUID | None] = personal(withheld=True, server_default=text("gen_random_uuid()"))
    request_id: Mapped[str] = plain()
    chain: Mapped[AuditChain] = state(AuditChain, server_default=AuditChain.USUAL.value)


class AuditUnsealed(TenantTable):
    """An audit row that the sealer has not seen yet: no commit, however late, is missed."""

    __tablename__ = "audit_unsealed"
    outlives_tenant: ClassVar[bool] = True
    is_machinery: ClassVar[bool] = True


class IdempotencyKey(TenantTable):
    """What became of a request that carried a key; the id is made of tenant, caller and key.

    outcome: as `Outcome.written` gives it, with ids, the values of payloads and the words of refusals.
    """

    __tablename__ = "idempotency_keys"
    is_machinery: ClassVar[bool] = True
    # Across tenants, since that is how the schedule looks for old ones.
    __table_args__ = (Index("idempotency_keys_at_idx", "at"),)
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID | None] = personal()
    fingerprint: Mapped[str] = plain()
    at: Mapped[datetime] = plain()
    outcome: Mapped[Json | None] = personal()
