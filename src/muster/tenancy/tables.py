"""Tables of tenancy: communities (global) and who belongs to them (isolated)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, GlobalTable, TenantTable, one_of, plain, state


class MemberStatus(StrEnum):
    """Whether a member may use their membership."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class Tenant(GlobalTable):
    """A community. Exactly one is the default, which visitors may enter and everybody who registers joins.

    allows_unverified: its members may act before they have verified their mail.
    """

    __tablename__ = "tenants"
    __table_args__ = (Index("tenants_default_idx", "is_default", unique=True, postgresql_where="is_default"),)
    reason: ClassVar[str] = "a community is the unit of isolation itself"

    slug: Mapped[str] = plain(unique=True)
    name: Mapped[str] = plain()
    is_default: Mapped[bool] = plain()
    allows_unverified: Mapped[bool] = plain()
    created_at: Mapped[datetime] = plain()


class Member(TenantTable):
    """A person inside a community, with the role they have there."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id"),
        one_of("status", MemberStatus),
    )
    person: ClassVar[str | None] = "user_id"
    erasure: ClassVar[Erasure] = Erasure.BLANK

    tenant_id: Mapped[UUID] = plain(ForeignKey("tenants.id"), primary_key=True, sort_order=-2)
    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    role: Mapped[str] = plain()
    status: Mapped[MemberStatus] = state(MemberStatus)
    joined_at: Mapped[datetime] = plain()
