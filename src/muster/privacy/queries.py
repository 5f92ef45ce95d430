"""SQL that privacy needs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import User
from muster.kit.caller import TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id
from muster.kit.storage.storage import path_of
from muster.privacy import rules
from muster.privacy.tables import Departure, Export, ExportStatus
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
    slug: str
    keeps_content: bool


class Made(Row):
    """An export as it stands."""

    id: UUID
    user_id: UUID
    path: str
    asked_at: datetime
    expires_at: datetime | None


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

_EXPORT = bindparam("export", type_=Export.id.type)
_asked = insert(Export)
# One row for each person, whose unique key makes two requests at once take turns: the second finds the first's moment.
_PUT_EXPORT = Statement(
    PersonId,
    _asked.on_conflict_do_update(
        index_elements=["user_id"],
        set_={
            **{name: _asked.excluded[name] for name in ("id", "status", "progress", "path", "asked_at")},
            **dict.fromkeys(("ready_at", "expires_at")),
        },
        where=Export.asked_at <= _asked.excluded.asked_at - rules.EXPORTED_EVERY,
    ).returning(Export.id),
    insert_keys=("id", "user_id", "status", "progress", "path", "asked_at"),
)
_READ_EXPORT = Statement(Made, select(*columns(Made, Export)).where(Export.id == _EXPORT))
_OWN_EXPORT = Statement(Made, select(*columns(Made, Export)).where(Export.user_id == _PERSON))
_IS_MAKING = (Export.id == _EXPORT, Export.status == ExportStatus.MAKING)
_PROGRESS = Statement(Nothing, update(Export).where(*_IS_MAKING).values(progress=bindparam("percent")))
_READY = Statement(
    Nothing,
    update(Export)
    .where(*_IS_MAKING)
    .values(status=ExportStatus.READY, progress=100, ready_at=_NOW, expires_at=_NOW + rules.EXPORT_KEPT),
)
_TAKE_EXPIRED = Statement(
    Made,
    update(Export)
    .where(Export.status == ExportStatus.READY, Export.expires_at <= _NOW)
    .values(status=ExportStatus.GONE)
    .returning(*columns(Made, Export)),
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


async def put_export(ctx: Ctx, user_id: UUID) -> UUID | None:
    """Begin an export in place of the one before; None when that was asked for less than a day ago."""
    made = await ctx.db.one(
        _PUT_EXPORT,
        id=new_id(),
        user_id=user_id,
        status=ExportStatus.MAKING,
        progress=0,
        path=path_of(rules.EXPORT_FOLDER, ".zip", user_id=user_id),
        asked_at=ctx.now,
    )
    return None if made is None else made.id


async def read_export(ctx: Ctx, export_id: UUID) -> Made | None:
    """An export; None when another has taken its place."""
    return await ctx.db.one(_READ_EXPORT, export=export_id)


async def own_export(ctx: Ctx, user_id: UUID) -> Made | None:
    """A person's newest export."""
    return await ctx.db.one(_OWN_EXPORT, person=user_id)


async def put_progress(ctx: Ctx, export_id: UUID, percent: int) -> None:
    """Note how far an export is."""
    await ctx.db.run(_PROGRESS, export=export_id, percent=percent)


async def put_ready(ctx: Ctx, export_id: UUID) -> bool:
    """Note that an export can be fetched; False when it could be before, or is not wanted any more."""
    return await ctx.db.run(_READY, export=export_id, now=ctx.now) > 0


async def take_expired(ctx: Ctx) -> list[Made]:
    """The exports that were kept long enough, each once."""
    return await ctx.db.all(_TAKE_EXPIRED, now=ctx.now)


def _ids(found: Sequence[PersonId]) -> list[UUID]:
    return [each.id for each in found]
