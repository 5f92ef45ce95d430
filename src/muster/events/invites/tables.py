"""Tables of links into events."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, TenantTable, personal, plain


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
