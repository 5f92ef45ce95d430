"""Tables of audit: the seals over the rows that the kit writes, and the checkpoints that outlive both."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.commands.tables import AuditChain
from muster.kit.db.tables import TenantTable, one_of, plain, state


class AuditSeal(TenantTable):
    """Some rows of one chain, in the order in which they were sealed; `rules.py` says what a seal is made of.

    number: from 1 in each chain, without a gap. before: how many rows the chain had until then. entries: what each row
    was when it was sealed. mac: over this seal and the one before. key_id: which key made it. at: when.
    """

    __tablename__ = "audit_seals"
    __table_args__ = (UniqueConstraint("tenant_id", "chain", "number"), one_of("chain", AuditChain))
    outlives_tenant: ClassVar[bool] = True
    is_machinery: ClassVar[bool] = True

    chain: Mapped[AuditChain] = state(AuditChain)
    number: Mapped[int] = plain()
    before: Mapped[int] = plain()
    entries: Mapped[bytes] = plain()
    mac: Mapped[bytes] = plain()
    key_id: Mapped[str] = plain()
    at: Mapped[datetime] = plain()


class AuditCheckpoint(TenantTable):
    """How far a chain had come on a day. It is kept for ever: what is left of a chain whose beginning was forgotten
    goes on from one.

    number: of the last seal. rows: how many rows the chain had. seal_mac: of that seal. mac: over this checkpoint and the
    one before.
    """

    __tablename__ = "audit_checkpoints"
    __table_args__ = (UniqueConstraint("tenant_id", "chain", "number"), one_of("chain", AuditChain))
    outlives_tenant: ClassVar[bool] = True
    is_machinery: ClassVar[bool] = True

    chain: Mapped[AuditChain] = state(AuditChain)
    number: Mapped[int] = plain()
    rows: Mapped[int] = plain()
    seal_mac: Mapped[bytes] = plain()
    mac: Mapped[bytes] = plain()
    key_id: Mapped[str] = plain()
    at: Mapped[datetime] = plain()
