"""Tables of links into events, and of invitations."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, TenantTable, one_of, personal, plain, state


class EventInviteLink(TenantTable):
    """A link that leads people into an event, until it expires, is used up, or is revoked.

    code: what the link holds. label: what its makers call it. uses: how many people have come by it. max_uses: how many
    may; null is any number.
    """

    __tablename__ = "event_invite_links"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        CheckConstraint("uses >= 0 and uses <= max_uses", name="uses"),
        CheckConstraint("(revoked_at is null) = (revoked_by_id is null)", name="revoked"),
        Index("event_invite_links_newest_idx", "tenant_id", "event_id", "created_at", "id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "made_by_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "revoked_by_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "made_by_id"
    erasure: ClassVar[Erasure] = Erasure.BLANK

    event_id: Mapped[UUID] = plain()
    code: Mapped[str] = plain(withheld=True)
    label: Mapped[str | None] = personal()
    uses: Mapped[int] = plain()
    max_uses: Mapped[int | None] = plain()
    made_by_id: Mapped[UUID] = plain()
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime | None] = plain()
    revoked_at: Mapped[datetime | None] = plain()
    revoked_by_id: Mapped[UUID | None] = plain()


class EventInviteLinkUse(TenantTable):
    """Somebody came by a link."""

    __tablename__ = "event_invite_link_uses"
    __table_args__ = (
        UniqueConstraint("tenant_id", "link_id", "user_id"),
        Index("event_invite_link_uses_used_idx", "tenant_id", "link_id", "used_at", "id"),
        ForeignKeyConstraint(["tenant_id", "link_id"], ["event_invite_links.tenant_id", "event_invite_links.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"

    link_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    used_at: Mapped[datetime] = plain()


class EventInvitationStatus(StrEnum):
    """How far an invitation into an event is."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    REVOKED = "REVOKED"


class EventInvitation(TenantTable):
    """An invitation into an event: to somebody of the community, or to a mail address, one row for all of its life.

    Somebody's membership says whether they are invited; this says who invited whom, and when. The token in its letter is
    not stored. user_id: who is invited; of a mail address, who accepted. email: of an invitation by mail, in small letters.
    sent_at: when it was last told. expires_at: of one by mail. ended_at: when it was answered or taken back.
    """

    __tablename__ = "event_invitations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "email"),
        Index(
            "event_invitations_person_idx",
            "tenant_id",
            "event_id",
            "user_id",
            unique=True,
            postgresql_where="expires_at is null",
        ),
        Index("event_invitations_newest_idx", "tenant_id", "event_id", "sent_at", "id"),
        Index("event_invitations_status_idx", "tenant_id", "event_id", "status", "sent_at", "id"),
        one_of("status", EventInvitationStatus),
        CheckConstraint("(email is null) = (expires_at is null)", name="by_mail"),
        CheckConstraint("user_id is not null or email is not null", name="whom"),
        CheckConstraint("(status = 'PENDING') = (ended_at is null)", name="ended"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "made_by_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"
    mailed: ClassVar[str | None] = "email"

    event_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID | None] = plain()
    email: Mapped[str | None] = personal()
    status: Mapped[EventInvitationStatus] = state(EventInvitationStatus)
    made_by_id: Mapped[UUID] = plain()
    sent_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime | None] = plain()
    ended_at: Mapped[datetime | None] = plain()
