"""Tables of chat. A room's id is the id of what it belongs to: an event's room has the event's id."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, TenantTable, personal, plain


class Room(TenantTable):
    """A place to talk. Its row is the lock under which messages get their sequence.

    notice_due_at: when its people are next told of what they have not read; None while nothing is new.
    """

    __tablename__ = "rooms"
    __table_args__ = (Index("rooms_due_idx", "notice_due_at", postgresql_where="notice_due_at is not null"),)

    last_sequence: Mapped[int] = plain()
    notice_due_at: Mapped[datetime | None] = plain()


class Seat(TenantTable):
    """The right of one person to read and write in one room, and how far they have read.

    read_sequence: everything up to it has been read; it never goes back. told_sequence: up to where they were last told
    that there is something to read. muted_at: since when they want no notices.
    """

    __tablename__ = "room_seats"
    __table_args__ = (
        UniqueConstraint("tenant_id", "room_id", "user_id"),
        Index("room_seats_person_idx", "tenant_id", "user_id", "id"),
        ForeignKeyConstraint(["tenant_id", "room_id"], ["rooms.tenant_id", "rooms.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"

    room_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    read_sequence: Mapped[int] = plain()
    told_sequence: Mapped[int] = plain()
    muted_at: Mapped[datetime | None] = plain()


class Message(TenantTable):
    """What somebody said. `sequence` counts within the room, without gaps: a deleted message keeps its place.

    content: None once it is deleted. deletion_reason: why a moderator deleted it.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("tenant_id", "room_id", "sequence"),
        Index("messages_author_idx", "tenant_id", "room_id", "author_id", "sequence"),
        Index(
            "messages_deleted_idx",
            "tenant_id",
            "room_id",
            "sequence",
            "author_id",
            postgresql_where="deleted_at is not null",
        ),
        CheckConstraint("(deleted_at is null) = (content is not null)", name="content"),
        ForeignKeyConstraint(["tenant_id", "room_id"], ["rooms.tenant_id", "rooms.id"]),
        ForeignKeyConstraint(["tenant_id", "author_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "deleted_by_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "author_id"
    erasure: ClassVar[Erasure] = Erasure.CONTENT

    room_id: Mapped[UUID] = plain()
    sequence: Mapped[int] = plain()
    author_id: Mapped[UUID] = plain()
    content: Mapped[str | None] = personal()
    created_at: Mapped[datetime] = plain()
    edited_at: Mapped[datetime | None] = plain()
    deleted_at: Mapped[datetime | None] = plain(erased="coalesce(deleted_at, :now)")
    deleted_by_id: Mapped[UUID | None] = plain(withheld=True)
    deletion_reason: Mapped[str | None] = personal()


class MessageVersion(TenantTable):
    """What a message said before it was edited, or before a moderator deleted it; kept for moderators."""

    __tablename__ = "message_versions"
    __table_args__ = (
        Index("message_versions_written_idx", "tenant_id", "message_id", "written_at", "id"),
        ForeignKeyConstraint(["tenant_id", "message_id"], ["messages.tenant_id", "messages.id"]),
        ForeignKeyConstraint(["tenant_id", "author_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "author_id"

    message_id: Mapped[UUID] = plain()
    author_id: Mapped[UUID] = plain()
    content: Mapped[str] = personal()
    written_at: Mapped[datetime] = plain()
