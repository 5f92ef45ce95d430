"""SQL of inviting many at once: as many statements for five hundred rows as for one."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, cast, func, insert, not_, or_, select, update
from sqlalchemy.dialects.postgresql import array

from muster.identity.predicates import not_blocked
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, given
from muster.kit.ids import new_id
from muster.kit.text import as_id
from muster.kit.views.scope import REQUEST_VIEWER
from muster.tenancy.queries import Invited, Terms
from muster.tenancy.tables import Invitation, InvitationStatus, InvitationWay, Member, MemberStatus
from muster.tenancy.teams.predicates import team_visible
from muster.tenancy.teams.tables import Team, TeamMember


class Standing(Row):
    """How somebody with an address stands to the community, and the teams that they are in."""

    email: str
    status: MemberStatus
    teams: list[UUID]


class NamedTeam(Row):
    """A team that the acting person sees."""

    id: UUID
    name: str


class _Address(Row):
    email: str


_MAILS = any_(bindparam("mails", type_=ARRAY(Text())))
_IS_OPEN = Invitation.status == InvitationStatus.PENDING
# In the order of their addresses, as everybody locks them who locks more than one.
_LOCK = Statement(
    Invited,
    select(*columns(Invited, Invitation))
    .where(_IS_OPEN, Invitation.email == _MAILS)
    .order_by(Invitation.email)
    .with_for_update(),
)
_BLOCKED = Statement(
    _Address,
    select(Invitation.email)
    .join(User, User.email == Invitation.email)
    .where(_IS_OPEN, Invitation.email == _MAILS, not_(not_blocked(Invitation.made_by, User.id))),
)
_SEATS = select(func.array_agg(TeamMember.team_id)).where(TeamMember.user_id == Member.user_id).scalar_subquery()
_NONE = cast(array([]), ARRAY(Uuid()))
_STANDINGS = Statement(
    Standing,
    select(
        User.email,
        Member.status,
        func.coalesce(_SEATS, _NONE).label("teams"),
    )
    .join(Member, Member.user_id == User.id)
    .where(User.email == _MAILS),
)
_TEAMS = Statement(
    NamedTeam,
    select(Team.id, Team.name).where(
        or_(
            Team.name == any_(bindparam("names", type_=ARRAY(Text()))),
            Team.id == any_(bindparam("ids", type_=ARRAY(Uuid()))),
        ),
        team_visible(Team, REQUEST_VIEWER),
    ),
)
_TERMS = ("role", "made_by", "expires_at", "letters", "letters_since", "team_id", "team_role", "language")
_MADE = ("tenant_id", "id", "way", "email", "status", "created_at", "uses", "max_uses", *_TERMS)


def _rows_of(*names: str) -> Any:
    return given(**{name: Invitation.__table__.c[name].type for name in names})


_made = _rows_of(*_MADE)
PUT = Statement(
    Nothing,
    insert(Invitation).from_select(list(_MADE), select(*(_made.c[name] for name in _MADE)).order_by(_made.c.email)),
)
_renewed = _rows_of("id", *_TERMS)
RENEW = Statement(
    Nothing,
    update(Invitation).where(Invitation.id == _renewed.c.id).values({name: _renewed.c[name] for name in _TERMS}),
)


async def lock_invitations_of(ctx: Ctx, emails: Sequence[str]) -> dict[str, Invited]:
    """The open invitations of addresses, locked."""
    return {each.email: each for each in await ctx.db.all(_LOCK, mails=emails) if each.email is not None}


async def blocked_of(ctx: Ctx, emails: Sequence[str]) -> set[str]:
    """The addresses whose open invitation is by somebody who has blocked them, or whom they have."""
    return {each.email for each in await ctx.db.all(_BLOCKED, mails=emails)}


async def standings_of(ctx: Ctx, emails: Sequence[str]) -> dict[str, Standing]:
    """How the people with these addresses stand to the community; who never was in it is not in the answer."""
    return {each.email: each for each in await ctx.db.all(_STANDINGS, mails=emails)}


async def teams_named(ctx: Ctx, names: Collection[str]) -> list[NamedTeam]:
    """The teams of these names or ids that the acting person sees, in the order of their ids."""
    ids = [as_uuid for each in names if (as_uuid := as_id(each)) is not None]
    found = await ctx.db.all(_TEAMS, names=list(names), ids=ids, **ctx.as_viewer())
    return sorted(found, key=lambda team: team.id)


def put(ctx: Ctx, email: str, terms: Terms) -> UUID:
    """Make an invitation of the acting person's for an address that has none, with the journal; answers with its id."""
    made = new_id()
    ctx.write(
        PUT,
        tenant_id=ctx.tenant_id,
        id=made,
        way=InvitationWay.MAIL,
        email=email,
        status=InvitationStatus.PENDING,
        created_at=ctx.now,
        uses=0,
        max_uses=1,
        **_terms(ctx, terms, letters=1, since=ctx.now),
    )
    return made


def renew(ctx: Ctx, invitation_id: UUID, terms: Terms, *, letters: int, since: datetime) -> None:
    """Have a locked invitation be the acting person's, on these terms, with the journal."""
    ctx.write(RENEW, id=invitation_id, **_terms(ctx, terms, letters=letters, since=since))


def _terms(ctx: Ctx, terms: Terms, *, letters: int, since: datetime) -> dict[str, object]:
    return {
        "role": terms.role,
        "made_by": ctx.user_id,
        "expires_at": ctx.now + terms.lifetime,
        "letters": letters,
        "letters_since": since,
        "team_id": terms.team_id,
        "team_role": terms.team_role,
        "language": terms.language,
    }
