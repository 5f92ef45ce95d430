"""Tables of identity. All are global: one account per person on a deployment."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, GlobalTable, one_of, personal, plain, state


class User(GlobalTable):
    """A person's account. `email` is stored in lower case; `verified_at` is when they showed that it is theirs.

    locale: the language that they read, such as `de-AT`. timezone: where their clock is, as the IANA names it.
    terms_accepted_at: when they accepted the deployment's terms, where it has any.
    closed_at: since when its person wants it gone; to sign in opens it again. ended_at: since when there is no way back:
    what it holds is erased soon after, and the row stays as the id that others' rows point to. disabled_at: since when an
    operator lets nobody sign in to it.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("users_search_idx", func.to_tsvector(text("'simple'"), text("name")), postgresql_using="gin"),
        Index("users_closed_idx", "closed_at", postgresql_where="closed_at is not null"),
    )
    reason: ClassVar[str] = "one account per person, many communities"
    person: ClassVar[str | None] = "id"
    erasure: ClassVar[Erasure] = Erasure.BLANK

    name: Mapped[str] = personal()
    email: Mapped[str] = personal(unique=True, erased="id || '@erased.invalid'")
    created_at: Mapped[datetime] = plain()
    verified_at: Mapped[datetime | None] = plain(erased="null")
    locale: Mapped[str | None] = personal()
    timezone: Mapped[str | None] = personal()
    terms_accepted_at: Mapped[datetime | None] = plain()
    closed_at: Mapped[datetime | None] = plain()
    ended_at: Mapped[datetime | None] = plain()
    disabled_at: Mapped[datetime | None] = plain()


class Password(GlobalTable):
    """The hash of a person's password; `id` is the person's. Apart from `users`, so that no read comes near it.

    failures: wrong passwords in a row; `failed_at` is when the last one came.
    """

    __tablename__ = "passwords"
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "id"

    id: Mapped[UUID] = personal(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    hash: Mapped[str] = personal(withheld=True)
    changed_at: Mapped[datetime] = plain()
    failures: Mapped[int] = plain()
    failed_at: Mapped[datetime | None] = plain()


class Session(GlobalTable):
    """A signed-in device, and a family of refresh tokens. It lives until it expires or `revoked_at` is set.

    generation: the number of the newest refresh token, first given at `refreshed_at`; none is stored.
    address, agent: of the device when it signed in. proved_at: when its person last showed by more than its token who
    they are; null for who came in by what somebody else vouches for.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_newest_idx", "user_id", "created_at", "id"),
        Index("sessions_revoked_at_idx", "revoked_at", postgresql_where="revoked_at is not null"),
    )
    reason: ClassVar[str] = "a person signs in once for all their communities"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    generation: Mapped[int] = plain()
    created_at: Mapped[datetime] = plain()
    refreshed_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain(index=True)
    revoked_at: Mapped[datetime | None] = plain()
    address: Mapped[str | None] = personal()
    agent: Mapped[str | None] = personal()
    proved_at: Mapped[datetime | None] = plain()


class SecondFactor(GlobalTable):
    """What a person has beside their password; `id` is the person's. Every change of it takes turns at this row.

    totp: the secret of their authenticator app, sealed; `totp_since` is when they showed that they have it, and until
    then it opens nothing. totp_step: the 30 seconds whose code was used last. failures: wrong codes in a row;
    `failed_at` is when the last one came.
    """

    __tablename__ = "second_factors"
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "id"

    id: Mapped[UUID] = personal(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    totp: Mapped[str | None] = personal(withheld=True)
    totp_since: Mapped[datetime | None] = plain()
    totp_step: Mapped[int] = plain(withheld=True)
    failures: Mapped[int] = plain()
    failed_at: Mapped[datetime | None] = plain()


class BackupCode(GlobalTable):
    """A code that stands in once for a second factor. hash: with the deployment's secret; nobody else can try codes."""

    __tablename__ = "backup_codes"
    __table_args__ = (UniqueConstraint("user_id", "hash"),)
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    hash: Mapped[str] = personal(withheld=True)
    used_at: Mapped[datetime | None] = plain()


class Passkey(GlobalTable):
    """A key that a device or a password manager of a person holds (W3C Web Authentication, level 3).

    credential, public_key: as base64url. sign_count: how often it has signed, where it counts. name: the person's own.
    """

    __tablename__ = "passkeys"
    __table_args__ = (Index("passkeys_newest_idx", "user_id", "created_at", "id"),)
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    credential: Mapped[str] = personal(unique=True, withheld=True)
    public_key: Mapped[str] = personal(withheld=True)
    sign_count: Mapped[int] = plain(withheld=True)
    name: Mapped[str] = personal()
    created_at: Mapped[datetime] = plain()
    used_at: Mapped[datetime | None] = plain()


class ChallengePurpose(StrEnum):
    """What is begun and waits for its second half."""

    ENROL = "ENROL"
    SIGN_IN = "SIGN_IN"
    SECOND = "SECOND"
    STEP_UP = "STEP_UP"


class Challenge(GlobalTable):
    """Something begun that its caller comes back to once: a passkey to be asked, a password given and a code to follow.

    user_id: whose; null for who signs in by passkey, who says so only then. session_id: in which it was begun.
    remember: the session that it opens is to last long.
    """

    __tablename__ = "challenges"
    __table_args__ = (one_of("purpose", ChallengePurpose),)
    reason: ClassVar[str] = "belongs to the account, which is global, or to nobody yet"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID | None] = plain(ForeignKey("users.id"), index=True)
    session_id: Mapped[UUID | None] = plain()
    purpose: Mapped[ChallengePurpose] = state(ChallengePurpose)
    remember: Mapped[bool] = plain()
    expires_at: Mapped[datetime] = plain(index=True)
    used_at: Mapped[datetime | None] = plain()


class LinkPurpose(StrEnum):
    """What a mailed link is for."""

    VERIFY = "VERIFY"
    RESET = "RESET"
    UNLOCK = "UNLOCK"
    RESTORE = "RESTORE"
    SIGN_IN = "SIGN_IN"


class Link(GlobalTable):
    """A link that was mailed to an account's address. The token in it is not stored: see `seals`."""

    __tablename__ = "links"
    __table_args__ = (
        Index("links_recent_idx", "user_id", "purpose", "created_at"),
        one_of("purpose", LinkPurpose),
    )
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    purpose: Mapped[LinkPurpose] = state(LinkPurpose)
    address: Mapped[str] = personal()
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain(index=True)
    used_at: Mapped[datetime | None] = plain()


class Block(GlobalTable):
    """One person wants nothing of another. It holds both ways; see `predicates.not_blocked`."""

    __tablename__ = "blocks"
    __table_args__ = (
        UniqueConstraint("user_id", "blocked_id"),
        CheckConstraint("user_id <> blocked_id", name="of_another"),
        Index("blocks_newest_idx", "user_id", "created_at", "id"),
    )
    reason: ClassVar[str] = "people meet in many communities, and a block holds in all of them"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    blocked_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    created_at: Mapped[datetime] = plain()


class EmailChange(GlobalTable):
    """A wish to have another mail address, which both the old and the new one confirm. The tokens are not stored.

    approved_at, confirmed_at: when the old and the new address said yes; an old one that was never shown to be the
    person's is not asked. ended_at: when it was done, or given up for another.
    """

    __tablename__ = "email_changes"
    __table_args__ = (Index("email_changes_recent_idx", "user_id", "created_at"),)
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    old_address: Mapped[str] = personal()
    new_address: Mapped[str] = personal()
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain(index=True)
    approved_at: Mapped[datetime | None] = plain()
    confirmed_at: Mapped[datetime | None] = plain()
    ended_at: Mapped[datetime | None] = plain()
