"""Tables of tenancy: communities (global), who belongs to them, and the roles they make for themselves (isolated)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped

from muster.kit.caller import TenantStatus
from muster.kit.db.tables import (
    PLATFORM_TENANT,
    Erasure,
    GlobalTable,
    Json,
    TenantTable,
    one_of,
    personal,
    plain,
    state,
)


class MemberStatus(StrEnum):
    """Whether a member may use their membership. Who left or was removed keeps a row: what they did refers to it."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    LEFT = "LEFT"
    REMOVED = "REMOVED"


class TenantKind(StrEnum):
    """What kind of community it is."""

    COMMUNITY = "COMMUNITY"
    CLUB = "CLUB"
    SCHOOL = "SCHOOL"
    COMPANY = "COMPANY"
    CONGREGATION = "CONGREGATION"


class JoinPolicy(StrEnum):
    """How people get into a community: by themselves, by asking, or by invitation only."""

    OPEN = "OPEN"
    REQUEST = "REQUEST"
    INVITE = "INVITE"


_LISTED = "is_listed and status = 'ACTIVE'"


class Tenant(GlobalTable):
    """A community. Exactly one is the default, which visitors may enter and everybody who registers joins; it is always
    open.

    allows_unverified: its members may act before they have verified their mail. requires_mfa: they need a second factor.
    country: ISO 3166. is_listed: anybody may find it. status_reason, status_since: why it is not open, and since when.
    status_before: what it was before it was to be deleted. deletes_at: when it is gone. primary_colour, accent_colour:
    `#rrggbb`. terms: what it calls things, by `Term`. version: counts its changes. max_members: how many seats it has,
    of active and suspended members; None is no limit, as always in the default one. keeps_content: what people made
    stays when they are erased, under nobody's name. limits_events: the plans of its events limit them.
    """

    __tablename__ = "tenants"
    __table_args__ = (
        Index("tenants_default_idx", "is_default", unique=True, postgresql_where="is_default"),
        one_of("kind", TenantKind),
        one_of("join_policy", JoinPolicy),
        one_of("status", TenantStatus),
        one_of("status_before", TenantStatus),
        Index("tenants_deletes_at_idx", "deletes_at", postgresql_where="deletes_at is not null"),
        Index("tenants_listed_name_idx", "name", "id", postgresql_where=_LISTED),
        Index("tenants_listed_kind_idx", "kind", "created_at", "id", postgresql_where=_LISTED),
        Index("tenants_listed_country_idx", "country", "created_at", "id", postgresql_where=_LISTED),
        Index("tenants_listed_created_idx", "created_at", "id", postgresql_where=_LISTED),
        CheckConstraint("not is_default or status = 'ACTIVE'", name="default"),
        CheckConstraint("(status = 'DELETING') = (deletes_at is not null)", name="deletes"),
        CheckConstraint("primary_colour ~ '^#[0-9a-f]{6}$'", name="primary_colour"),
        CheckConstraint("accent_colour ~ '^#[0-9a-f]{6}$'", name="accent_colour"),
        CheckConstraint("max_members is null or (max_members >= 1 and not is_default)", name="max_members"),
        Index("tenants_strict_idx", "id", postgresql_where="requires_mfa"),
    )
    reason: ClassVar[str] = "a community is the unit of isolation itself"

    slug: Mapped[str] = plain(unique=True)
    name: Mapped[str] = plain()
    is_default: Mapped[bool] = plain()
    allows_unverified: Mapped[bool] = plain()
    max_members: Mapped[int | None] = plain()
    requires_mfa: Mapped[bool] = plain(server_default="false")
    created_at: Mapped[datetime] = plain()
    kind: Mapped[TenantKind] = state(TenantKind, server_default="COMMUNITY")
    locale: Mapped[str] = plain(server_default="en")
    timezone: Mapped[str] = plain(server_default="UTC")
    country: Mapped[str | None] = plain()
    is_listed: Mapped[bool] = plain(server_default="false")
    join_policy: Mapped[JoinPolicy] = state(JoinPolicy, server_default="INVITE")
    status: Mapped[TenantStatus] = state(TenantStatus, server_default="ACTIVE")
    status_reason: Mapped[str | None] = plain()
    status_since: Mapped[datetime | None] = plain()
    status_before: Mapped[TenantStatus | None] = state(TenantStatus)
    deletes_at: Mapped[datetime | None] = plain()
    logo_url: Mapped[str | None] = plain()
    primary_colour: Mapped[str | None] = plain()
    accent_colour: Mapped[str | None] = plain()
    terms: Mapped[Json] = plain(server_default="{}")
    version: Mapped[int] = plain(server_default=text("1"))
    keeps_content: Mapped[bool] = plain(server_default="false")
    limits_events: Mapped[bool] = plain(server_default="false")


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
    joined_at: when they last came. note: why they were suspended or removed, or what they said when they left. is_service:
    it is a program of the community, which takes no seat and which nobody signs in as.
    """

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id"),
        ForeignKeyConstraint(["tenant_id", "custom_role"], ["custom_roles.tenant_id", "custom_roles.slug"]),
        # At most one; that there is one is up to `ownership`: nothing else gives this role or takes it.
        Index("members_owner_idx", "tenant_id", unique=True, postgresql_where="role = 'owner'"),
        Index("members_owned_idx", "user_id", postgresql_where="role = 'owner'"),
        Index("members_custom_role_idx", "tenant_id", "custom_role", postgresql_where="custom_role is not null"),
        Index("members_joined_idx", "tenant_id", "joined_at", "id"),
        Index("members_status_idx", "tenant_id", "status", "joined_at", "id"),
        Index("members_inactive_idx", "tenant_id", "joined_at", "id", postgresql_where="status <> 'ACTIVE'"),
        Index("members_belonging_idx", "user_id", "tenant_id"),
        Index("members_role_idx", "tenant_id", "role", "joined_at", "id"),
        Index("members_service_idx", "tenant_id", "joined_at", "id", postgresql_where="is_service"),
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
    status: Mapped[MemberStatus] = state(MemberStatus, erased="'LEFT'")
    joined_at: Mapped[datetime] = plain()
    note: Mapped[str | None] = personal(withheld=True)
    is_service: Mapped[bool] = plain(server_default="false")


class InvitationWay(StrEnum):
    """How an invitation reaches people."""

    MAIL = "MAIL"
    LINK = "LINK"


class InvitationStatus(StrEnum):
    """How far an invitation is. A link that was used is still PENDING: others may use it."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    REVOKED = "REVOKED"


class Invitation(TenantTable):
    """An invitation: to one mail address, or a link that several people may use. The token in it is not stored.

    email: of MAIL, in small letters. made_by: whose rights it rests on when it is accepted. letters, letters_since: how
    many were mailed in the hour that began then. user_id: who accepted one by mail. ended_at: when it was answered.
    team_id, team_role: the team that it leads into, too, and as what. language: of the letter, for who has no account.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "made_by"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"]),
        Index("invitations_team_idx", "tenant_id", "team_id", postgresql_where="team_id is not null"),
        CheckConstraint("(team_id is null) = (team_role is null)", name="team"),
        Index(
            "invitations_pending_idx",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where="status = 'PENDING' and email is not null",
        ),
        Index("invitations_newest_idx", "tenant_id", "created_at", "id"),
        Index("invitations_way_idx", "tenant_id", "way", "created_at", "id"),
        Index("invitations_status_idx", "tenant_id", "status", "created_at", "id"),
        Index("invitations_letters_idx", "tenant_id", "letters_since", postgresql_where="email is not null"),
        one_of("way", InvitationWay),
        one_of("status", InvitationStatus),
        CheckConstraint("(way = 'MAIL') = (email is not null)", name="email"),
        CheckConstraint("uses >= 0 and uses <= max_uses", name="uses"),
    )
    person: ClassVar[str | None] = "user_id"
    mailed: ClassVar[str | None] = "email"

    way: Mapped[InvitationWay] = state(InvitationWay)
    email: Mapped[str | None] = personal()
    role: Mapped[str] = plain()
    status: Mapped[InvitationStatus] = state(InvitationStatus)
    made_by: Mapped[UUID] = plain()
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain()
    uses: Mapped[int] = plain()
    max_uses: Mapped[int | None] = plain()
    letters: Mapped[int] = plain()
    letters_since: Mapped[datetime] = plain()
    user_id: Mapped[UUID | None] = plain()
    ended_at: Mapped[datetime | None] = plain()
    team_id: Mapped[UUID | None] = plain()
    team_role: Mapped[str | None] = plain()
    language: Mapped[str | None] = personal()


class InvitationUse(TenantTable):
    """Somebody came in by an invitation."""

    __tablename__ = "invitation_uses"
    __table_args__ = (
        UniqueConstraint("tenant_id", "invitation_id", "user_id"),
        ForeignKeyConstraint(
            ["tenant_id", "invitation_id"], ["invitations.tenant_id", "invitations.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        Index("invitation_uses_used_idx", "tenant_id", "invitation_id", "used_at", "id"),
    )
    person: ClassVar[str | None] = "user_id"

    invitation_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    used_at: Mapped[datetime] = plain()


class RequestStatus(StrEnum):
    """What became of somebody's wish to join."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class JoinRequest(TenantTable):
    """Somebody asks to join. note: what they say. reason: why they were rejected. They need not be anybody here."""

    __tablename__ = "join_requests"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "decided_by"], ["members.tenant_id", "members.user_id"]),
        Index("join_requests_pending_idx", "tenant_id", "user_id", unique=True, postgresql_where="status = 'PENDING'"),
        Index("join_requests_newest_idx", "tenant_id", "created_at", "id"),
        Index("join_requests_status_idx", "tenant_id", "status", "created_at", "id"),
        one_of("status", RequestStatus),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    note: Mapped[str | None] = personal()
    status: Mapped[RequestStatus] = state(RequestStatus)
    reason: Mapped[str | None] = personal()
    decided_by: Mapped[UUID | None] = plain()
    created_at: Mapped[datetime] = plain()
    decided_at: Mapped[datetime | None] = plain()


class OwnershipOffer(TenantTable):
    """That a member may become the owner of their community; there is one such offer at most."""

    __tablename__ = "ownership_offers"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"], ondelete="CASCADE"),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    made_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain()


class Domain(TenantTable):
    """A domain that a community says is its own. name: in ASCII and small letters, without a dot at its end.

    token: what its TXT record has to hold. proven_at: since when it did. failing_since: since when it does not any more.
    """

    __tablename__ = "domains"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        Index("domains_added_idx", "tenant_id", "added_at", "id"),
    )

    tenant_id: Mapped[UUID] = plain(ForeignKey("tenants.id"), primary_key=True, sort_order=-2)
    name: Mapped[str] = plain()
    token: Mapped[str] = plain(withheld=True)
    added_at: Mapped[datetime] = plain()
    proven_at: Mapped[datetime | None] = plain()
    checked_at: Mapped[datetime | None] = plain()
    failing_since: Mapped[datetime | None] = plain()


class Host(GlobalTable):
    """Which community a proven domain leads to; `id` is the domain's. Its key lets one community have it at a time."""

    __tablename__ = "hosts"
    reason: ClassVar[str] = "which community a host leads to is asked before any is entered"

    tenant_id: Mapped[UUID] = plain(ForeignKey("tenants.id"), index=True)
    name: Mapped[str] = plain(unique=True)
    token: Mapped[str] = plain()
