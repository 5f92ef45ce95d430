"""SQL that privacy needs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import User
from muster.kit.caller import TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.privacy import rules
from muster.privacy.tables import Departure
from muster.tenancy.tables import Tenant

_AT_ONCE = 500


class PersonId(Row):
    """A person who is on the way out."""

    id: UUID


class Owned(Row):
    """A community that somebody owns."""

    id: UUID
    slug: str
    name: str


class Policy(Row):
    """A community, and whether it keeps what people made who are erased."""

    id: UUID
    keeps_content: bool


_PERSON = bindparam("person", type_=User.id.type)
_NOW = bindparam("now", type_=User.created_at.type)
_OWNED = Statement(
    Owned,
    select(*columns(Owned, Tenant))
    .where(Tenant.id.in_(select(func.finders.owned_by(_PERSON))), Tenant.status != TenantStatus.DELETING)
    .order_by(Tenant.slug),
)
_POLICIES = Statement(Policy, select(*columns(Policy, Tenant)).order_by(Tenant.id))

_BEGIN = Statement(
    Nothing,
    insert(Departure).on_conflict_do_update(
        index_elements=["id"],
        set_={
            "closed_at": insert(Departure).excluded.closed_at,
            **dict.fromkeys(("reminded_at", "ended_at", "erasing_at", "erased_at")),
        },
    ),
    insert_keys=("id", "closed_at"),
)


def _due(*conditions: ColumnElement[bool]) -> Select[UUID]:
    """Those of whom something is due, locked: of two workers, and of one and a person who comes back, each waits."""
    return (
        select(Departure.id)
        .join(User, and_(User.id == Departure.id, User.closed_at == Departure.closed_at))
        .where(Departure.erased_at.is_(None), *conditions)
        .order_by(Departure.closed_at)
        .limit(_AT_ONCE)
        .with_for_update(key_share=True)
    )


def _taking(column: str, due: Select[UUID]) -> Statement[PersonId]:
    taken = update(Departure).where(Departure.id.in_(due)).values({column: _NOW}).returning(Departure.id)
    return Statement(PersonId, taken)


_open = (Departure.ended_at.is_(None), User.ended_at.is_(None))
_TO_REMIND = _taking(
    "reminded_at",
    _due(*_open, Departure.reminded_at.is_(None), Departure.closed_at <= _NOW - (rules.GRACE - rules.REMINDED_BEFORE)),
)
_OWNS_NOTHING = (
    ~select(Tenant.id)
    .where(Tenant.id.in_(select(func.finders.owned_by(Departure.id))), Tenant.status != TenantStatus.DELETING)
    .exists()
)
_TO_END = _taking("ended_at", _due(*_open, Departure.closed_at <= _NOW - rules.GRACE, _OWNS_NOTHING))
_END = Statement(Nothing, update(User).where(User.id == func.any(bindparam("people"))).values(ended_at=_NOW))
_TO_ERASE = _taking(
    "erasing_at",
    _due(
        Departure.ended_at <= _NOW - rules.SETTLING,
        or_(Departure.erasing_at.is_(None), Departure.erasing_at <= _NOW - rules.ERASED_WITHIN),
    ),
)
_ERASED = Statement(
    Nothing,
    update(Departure).where(Departure.id == _PERSON, Departure.erased_at.is_(None)).values(erased_at=_NOW),
)


async def owned_communities(ctx: Ctx, user_id: UUID) -> list[Owned]:
    """The communities that a person owns, in all of the deployment."""
    return await ctx.db.all(_OWNED, person=user_id)


async def policies(ctx: Ctx) -> list[Policy]:
    """Every community, the platform's own among them."""
    return await ctx.db.all(_POLICIES)


async def begin_departure(ctx: Ctx, user_id: UUID) -> None:
    """Note that a person has closed their account; one that they came back from is forgotten."""
    await ctx.db.run(_BEGIN, id=user_id, closed_at=ctx.now)


async def take_to_remind(ctx: Ctx) -> list[UUID]:
    """Who is to be reminded, each once."""
    return _ids(await ctx.db.all(_TO_REMIND, now=ctx.now))


async def take_to_end(ctx: Ctx) -> list[UUID]:
    """Whose time to come back is over, each once; their accounts end. Who owns a community by now is put off."""
    people = _ids(await ctx.db.all(_TO_END, now=ctx.now))
    if people:
        await ctx.db.run(_END, people=people, now=ctx.now)
    return people


async def take_to_erase(ctx: Ctx) -> list[UUID]:
    """Who is to be erased, and whose erasure came to nothing."""
    return _ids(await ctx.db.all(_TO_ERASE, now=ctx.now))


async def put_erased(ctx: Ctx, user_id: UUID) -> bool:
    """Note that nothing of a person is left; False when that was noted before."""
    return await ctx.db.run(_ERASED, person=user_id, now=ctx.now) > 0


def _ids(found: Sequence[PersonId]) -> list[UUID]:
    return [each.id for each in found]
