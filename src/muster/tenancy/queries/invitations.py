"""SQL about invitations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, any_, bindparam, cast, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.predicates import not_blocked
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id
from muster.tenancy.tables import Invitation, InvitationStatus, InvitationUse, InvitationWay


class Invited(Row):
    """An invitation as it stands."""

    id: UUID
    way: InvitationWay
    email: str | None
    role: str
    status: InvitationStatus
    made_by: UUID
    expires_at: datetime
    uses: int
    max_uses: int | None
    letters: int
    letters_since: datetime
    team_id: UUID | None
    team_role: str | None
    language: str | None

    def has(self, terms: "Terms") -> bool:
        """Whether it gives what these say; who says nothing of the language means the one that it has."""
        own = (self.role, self.team_id, self.team_role, self.language)
        return own == (terms.role, terms.team_id, terms.team_role, terms.language or self.language)

    def is_good(self, now: datetime) -> bool:
        """Whether somebody may still come in by it."""
        has_uses = self.max_uses is None or self.uses < self.max_uses
        return self.status == InvitationStatus.PENDING and self.expires_at > now and has_uses


class Welcome(Row):
    """Whether neither of two people has blocked the other."""

    welcome: bool


class Terms(NamedTuple):
    """What an invitation gives, for how long it is good from now on, and the language of its letter."""

    role: str
    lifetime: timedelta
    team_id: UUID | None = None
    team_role: str | None = None
    language: str | None = None


class Letters(Row):
    """How many letters an address got."""

    email: str
    letters: int


class InvitationId(Row):
    """The id of an invitation."""

    id: UUID


class Mailed(Row):
    """How many invitations were mailed within the hour, and when the first of them was."""

    letters: int
    since: datetime | None


_ID = Invitation.id == bindparam("invitation", type_=Invitation.id.type)
_PENDING = Invitation.status == InvitationStatus.PENDING
_WHOLE = select(*columns(Invited, Invitation))
_READ = Statement(Invited, _WHOLE.where(_ID))
# Of two who answer one invitation, or use a link, at once, each decides on what the one before has left.
_LOCK = Statement(Invited, _WHOLE.where(_ID).with_for_update())
_LOCK_OF_ADDRESS = Statement(
    Invited,
    _WHOLE.where(_PENDING, Invitation.email == bindparam("mail", type_=Invitation.email.type)).with_for_update(),
)
_KEYS = (
    *("tenant_id", "id", "way", "email", "role", "status", "made_by", "created_at", "expires_at"),
    *("uses", "max_uses", "letters", "letters_since", "team_id", "team_role", "language"),
)
# Of two who invite one address at once, one makes the invitation; the other finds it.
_PUT = Statement(InvitationId, insert(Invitation).on_conflict_do_nothing().returning(Invitation.id), insert_keys=_KEYS)
_RENEWED = ("role", "made_by", "expires_at", "letters", "letters_since", "team_id", "team_role", "language")
_RENEW = Statement(
    Nothing,
    update(Invitation).where(_ID).values({name: bindparam(f"new_{name}") for name in _RENEWED}),
)
_END = Statement(
    Nothing,
    update(Invitation)
    .where(_ID)
    .values(
        status=bindparam("now_is", type_=Invitation.status.type),
        user_id=bindparam("person", type_=Invitation.user_id.type),
        ended_at=bindparam("moment", type_=Invitation.ended_at.type),
    ),
)
_COUNT_USE = Statement(Nothing, update(Invitation).where(_ID).values(uses=Invitation.uses + 1))
# Who left and comes again by the same link has used it up once.
_PUT_USE = Statement(
    Nothing,
    insert(InvitationUse).on_conflict_do_nothing(),
    insert_keys=("tenant_id", "id", "invitation_id", "user_id", "used_at"),
)
_USED = Statement(
    InvitationId,
    select(InvitationUse.id).where(
        InvitationUse.invitation_id == bindparam("invitation", type_=Invitation.id.type),
        InvitationUse.user_id == bindparam("person", type_=InvitationUse.user_id.type),
    ),
)
_REVOKE_OF_PERSON = Statement(
    Nothing,
    update(Invitation)
    .where(
        _PENDING,
        Invitation.email.in_(select(User.email).where(User.id == bindparam("person", type_=User.id.type))),
    )
    .values(status=InvitationStatus.REVOKED, ended_at=bindparam("moment", type_=Invitation.ended_at.type)),
)
_WELCOME = Statement(
    Welcome,
    select(not_blocked(bindparam("maker", type_=User.id.type), User.id).label("welcome")).where(
        User.email == bindparam("mail", type_=User.email.type)
    ),
)
# A letter counts from the beginning of its invitation's hour.
_MAILED = Statement(
    Mailed,
    select(
        cast(func.coalesce(func.sum(Invitation.letters), 0), Integer).label("letters"),
        func.min(Invitation.letters_since).label("since"),
    ).where(
        Invitation.email.is_not(None),
        Invitation.letters_since > bindparam("moment", type_=Invitation.letters_since.type),
    ),
)
_TO = Statement(
    Letters,
    select(Invitation.email, cast(func.sum(Invitation.letters), Integer).label("letters"))
    .where(
        Invitation.email == any_(bindparam("mails", type_=ARRAY(Text()))),
        Invitation.letters_since > bindparam("moment", type_=Invitation.letters_since.type),
    )
    .group_by(Invitation.email),
)
_before = bindparam("before", type_=Invitation.expires_at.type)
_FORGET = Statement(
    Nothing, delete(Invitation).where(or_(Invitation.expires_at < _before, Invitation.ended_at < _before))
)


async def lock_letters(ctx: Ctx) -> Mailed:
    """What the community mailed within the hour. Until the transaction ends nobody else there mails one.

    So the hour's share holds however many invite at once, and no two who each lock many invitations wait for each other.
    Taken before any invitation is locked.
    """
    await ctx.db.take_turn(f"letters of {ctx.tenant_id}")
    found = await ctx.db.one(_MAILED, moment=ctx.now - timedelta(hours=1))
    return found or Mailed(letters=0, since=None)


async def letters_to(ctx: Ctx, emails: Sequence[str]) -> dict[str, int]:
    """How many letters addresses got within the hour, also of invitations that were taken back. Under `lock_letters`."""
    found = await ctx.db.all(_TO, mails=emails, moment=ctx.now - timedelta(hours=1))
    return {each.email: each.letters for each in found}


async def read_invitation(tx: Transaction, invitation_id: UUID) -> Invited | None:
    """An invitation of the transaction's tenant."""
    return await tx.one(_READ, invitation=invitation_id)


async def lock_invitation(ctx: Ctx, invitation_id: UUID) -> Invited | None:
    """The same, locked against other answers to it."""
    return await ctx.db.one(_LOCK, invitation=invitation_id)


async def lock_invitation_of(ctx: Ctx, email: str) -> Invited | None:
    """The invitation that an address has and nobody has answered, locked."""
    return await ctx.db.one(_LOCK_OF_ADDRESS, mail=email)


async def put_invitation(
    ctx: Ctx, terms: Terms, *, way: InvitationWay, email: str | None, max_uses: int | None
) -> UUID | None:
    """Make an invitation of the acting person's; None when the address has one."""
    made = await ctx.db.one(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        way=way,
        email=email,
        role=terms.role,
        team_id=terms.team_id,
        team_role=terms.team_role,
        language=terms.language,
        status=InvitationStatus.PENDING,
        made_by=ctx.user_id,
        created_at=ctx.now,
        expires_at=ctx.now + terms.lifetime,
        uses=0,
        max_uses=max_uses,
        letters=0 if email is None else 1,
        letters_since=ctx.now,
    )
    return None if made is None else made.id


async def renew_invitation(ctx: Ctx, invitation_id: UUID, terms: Terms, *, letters: int, since: datetime) -> None:
    """Have a locked invitation be the acting person's, on these terms. letters, since: how many were mailed since when."""
    await ctx.db.run(
        _RENEW,
        invitation=invitation_id,
        new_role=terms.role,
        new_made_by=ctx.user_id,
        new_expires_at=ctx.now + terms.lifetime,
        new_letters=letters,
        new_letters_since=since,
        new_team_id=terms.team_id,
        new_team_role=terms.team_role,
        new_language=terms.language,
    )


async def end_invitation(
    ctx: Ctx, invitation_id: UUID, status: InvitationStatus, *, user_id: UUID | None = None
) -> None:
    """Say what became of a locked invitation. user_id: who accepted it."""
    await ctx.db.run(_END, invitation=invitation_id, now_is=status, person=user_id, moment=ctx.now)


async def put_use(ctx: Ctx, invitation_id: UUID, *, user_id: UUID) -> None:
    """Count that a person came in by a locked invitation, and log it; once for each."""
    logged = await ctx.db.run(
        _PUT_USE, tenant_id=ctx.tenant_id, id=new_id(), invitation_id=invitation_id, user_id=user_id, used_at=ctx.now
    )
    if logged:
        await ctx.db.run(_COUNT_USE, invitation=invitation_id)


async def is_welcome(tx: Transaction, invited: Invited) -> bool:
    """Whether neither who made an invitation nor whose address it is for has blocked the other.

    True of a link, and of an address that nobody has here.
    """
    found = await tx.one(_WELCOME, maker=invited.made_by, mail=invited.email)
    return found is None or found.welcome


async def has_used(ctx: Ctx, invitation_id: UUID, user_id: UUID) -> bool:
    """Whether a person has come in by a locked invitation before."""
    return await ctx.db.one(_USED, invitation=invitation_id, person=user_id) is not None


async def revoke_invitations_of(ctx: Ctx, user_id: UUID) -> None:
    """Take back what was mailed to a person before it was decided that they go."""
    await ctx.db.run(_REVOKE_OF_PERSON, person=user_id, moment=ctx.now)


async def forget_invitations(ctx: Ctx, before: datetime) -> None:
    """Remove the invitations that ended or expired before a moment, with the log of their uses."""
    await ctx.db.run(_FORGET, before=before)
