"""Tables of tenancy: communities (global), who belongs to them, and the roles they make for themselves (isolated)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import PLATFORM_TENANT, Erasure, GlobalTable, TenantTable, one_of, plain, state


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


_BUILT_IN = (
    "'owner', 'admin', 'moderator', 'question_manager', 'account_officer', 'inspector', 'participant', "
    "'practice_user', 'spectator', 'staff'"
)
# What they give is code, in `access`; a test compares the names.


class CustomRole(TenantTable):
    """A role that a community made for itself: what `base` gives and `additions`, less `removals`.

    slug: names it, and never changes. base: a built-in role.
    """

    __tablename__ = "custom_roles"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint(f"slug not in ({_BUILT_IN})", name="slug"),
    )

    tenant_id: Mapped[UUID] = plain(ForeignKey("tenants.id"), primary_key=True, sort_order=-2)
    slug: Mapped[str] = plain()
    name: Mapped[str] = plain()
    colour: Mapped[str] = plain()
    base: Mapped[str] = plain()
    additions: Mapped[list[str]] = plain(ARRAY(Text()))
    removals: Mapped[list[str]] = plain(ARRAY(Text()))
    created_at: Mapped[datetime] = plain()
    updated_at: Mapped[datetime] = plain()


class Member(TenantTable):
    """A person inside a community, with the role they have there.

    custom_role: their role where it is not a built-in one. The foreign key keeps it there while somebody has it.
    """

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id"),
        ForeignKeyConstraint(["tenant_id", "custom_role"], ["custom_roles.tenant_id", "custom_roles.slug"]),
        Index("members_custom_role_idx", "tenant_id", "custom_role", postgresql_where="custom_role is not null"),
        one_of("status", MemberStatus),
        CheckConstraint(f"role <> 'staff' or tenant_id = '{PLATFORM_TENANT}'", name="staff"),
    )
    person: ClassVar[str | None] = "user_id"
    erasure: ClassVar[Erasure] = Erasure.BLANK

    tenant_id: Mapped[UUID] = plain(ForeignKey("tenants.id"), primary_key=True, sort_order=-2)
    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    role: Mapped[str] = plain()
    custom_role: Mapped[str | None] = plain(
        Computed(f"case when role in ({_BUILT_IN}) then null else role end", persisted=True)
    )
    status: Mapped[MemberStatus] = state(MemberStatus)
    joined_at: Mapped[datetime] = plain()
