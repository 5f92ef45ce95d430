"""SQL that the tallies need.

Reads come to the same before, while and after changes are folded in, since each statement sees one state of the tables:

    events that stand somewhere and are not over =
        counted until the tally's moment + changes not folded in yet - those over since that moment

where each of the three means events that end after the tally's moment, and a change that moves an event takes away what it
was and adds what it is.
"""

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    literal_column,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from muster.events.map.grid import FINEST
from muster.events.tables import Event, EventStatus, Visibility
from muster.events.tallies.tables import MapCount, Tally, TallyChange, TitleWord
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement
from muster.kit.db.tables import TenantTable
from muster.kit.work.schedule import TenantId

LEVELS = (6, 9, 12, 14)
"""The zooms whose tiles are counted, each for maps that draw squares of its size or up to two zooms coarser."""
_LONG_AGO: ColumnElement[datetime] = literal_column("'-infinity'::timestamptz", Tally.counted_until.type)
_ONE, _NONE = literal_column("1", SmallInteger()), literal_column("0", Integer())
_NOW = bindparam("now", type_=Tally.counted_until.type)
_TENANT = bindparam("tenant", type_=Tally.tenant_id.type)


_found = func.finders.tenants_with_tally_changes()
TENANTS_WITH_TALLY_CHANGES = Statement(
    TenantId, select(_found.table_valued(column("tenant_id", Uuid())).alias("found").c.tenant_id)
)
"""The tenants with changes that are not folded in yet, found across all of them."""


class Folder(Row):
    """Whose turn it is to fold changes in."""

    id: UUID


class Spread(Row):
    """How many events the tallies say are to come, and how many are."""

    counted: int
    there: int


def stands_on_map(event: Any) -> ColumnElement[bool]:
    """The event is one that everybody finds on the map until it is over."""
    return and_(
        event.visibility == Visibility.PUBLIC, event.status == EventStatus.PUBLISHED, event.map_cell.is_not(None)
    )


def is_listed(event: Any) -> ColumnElement[bool]:
    """Everybody finds the event."""
    return and_(event.visibility == Visibility.PUBLIC, event.status.in_((EventStatus.PUBLISHED, EventStatus.CANCELLED)))


def counted_until() -> ColumnElement[datetime]:
    """The tally's moment: what ended before it is not counted any more."""
    return select(func.coalesce(func.max(Tally.counted_until), _LONG_AGO)).scalar_subquery()


Parts: TypeAlias = Select[int | None, int | None, int | None, int]
"""Cell, x, y, and by how many events more or fewer stand there."""


def not_folded() -> Parts:
    """What was changed since changes were folded in last."""
    change = TallyChange
    return select(change.map_cell, change.map_x, change.map_y, change.sign).where(
        change.map_cell.is_not(None), change.ends_at > counted_until()
    )


def over_since(moment: ColumnElement[datetime]) -> tuple[Parts, Parts]:
    """What ended between the tally's moment and another one, taken away; or where that lies before it, given back."""
    # One or the other finds nothing. LEAST and GREATEST in one of both would keep row security from an index.
    return _ended(counted_until(), moment, literal_column("-1", SmallInteger())), _ended(moment, counted_until(), _ONE)


def _ended(since: ColumnElement[datetime], until: ColumnElement[datetime], sign: ColumnElement[int]) -> Parts:
    return select(Event.map_cell, Event.map_x, Event.map_y, sign.label("sign")).where(
        stands_on_map(Event), Event.ends_at > since, Event.ends_at <= until
    )


def _folding(*, whole: bool) -> Any:
    """Take in changes: all there are, and take away what is over by now; or only the first of them.

    One statement, so that all parts of it see the same changes and events: a change is only there with what it changed.
    The tally's moment moves on with the whole alone, since what is over is known of events, and not of a part of changes.
    """
    change = delete(TallyChange)
    if not whole:
        some = select(TallyChange.id).order_by(TallyChange.id).limit(bindparam("size", type_=Integer()))
        change = change.where(TallyChange.id.in_(some))
    taken = change.returning(*TallyChange.__table__.columns).cte("taken")
    moved = union_all(
        select(taken.c.map_cell, taken.c.map_x, taken.c.map_y, taken.c.sign).where(
            taken.c.map_cell.is_not(None), taken.c.ends_at > counted_until()
        ),
        *(over_since(_NOW) if whole else ()),
    ).cte("moved")
    level = func.unnest(literal_column(f"array{list(LEVELS)}::smallint[]", ARRAY(SmallInteger()))).column_valued(
        "level"
    )
    cell = moved.c.map_cell.op(">>")(2 * (FINEST - cast(level, Integer())))
    counts = (
        select(
            _TENANT,
            func.uuidv7(),
            level,
            cell,
            func.sum(moved.c.sign),
            func.sum(moved.c.sign * cast(moved.c.map_x, BigInteger())),
            func.sum(moved.c.sign * cast(moved.c.map_y, BigInteger())),
        )
        .select_from(moved)
        .group_by(level, cell)
    )
    word = func.unnest(func.title_words(taken.c.title)).column_valued("word")
    words = (
        select(_TENANT, func.uuidv7(), word, func.sum(taken.c.sign))
        .select_from(taken)
        .group_by(word)
        .having(func.sum(taken.c.sign) != _NONE)
    )
    kept = [
        _added(MapCount, ["level", "cell"], ["events", "sum_x", "sum_y"], counts).cte("counted"),
        _added(TitleWord, ["word"], ["events"], words).cte("worded"),
    ]
    return update(Tally).values(counted_until=_NOW if whole else Tally.counted_until).add_cte(*kept)


def _added(table: type[TenantTable], keys: list[str], sums: list[str], rows: Select[Any]) -> Any:
    """Add numbers to the rows with these keys, which are made where they are not there."""
    added = insert(table).from_select(["tenant_id", "id", *keys, *sums], rows)
    stays: Any = table
    return added.on_conflict_do_update(
        index_elements=["tenant_id", *keys],
        set_={name: getattr(stays, name) + added.excluded[name] for name in sums},
    )


def _noted_anew() -> Any:
    """Forget all that was counted, and note every event as a change, as if none had been folded in."""
    gone = [delete(table).cte(f"without_{table.__tablename__}") for table in (TallyChange, MapCount, TitleWord)]
    placed = case((Event.status == EventStatus.PUBLISHED, Event.map_cell))
    noted = select(
        Event.tenant_id, func.uuidv7(), _ONE, Event.title, Event.ends_at, placed, Event.map_x, Event.map_y
    ).where(is_listed(Event))
    names = ["tenant_id", "id", "sign", "title", "ends_at", "map_cell", "map_x", "map_y"]
    return insert(TallyChange).from_select(names, noted).add_cte(*gone)


_BEGIN = Statement(
    Nothing,
    insert(Tally).values(tenant_id=_TENANT, id=_TENANT, counted_until=_LONG_AGO).on_conflict_do_nothing(),
)
_LOCK = Statement(Folder, select(Tally.id).with_for_update())
_FOLD, _FOLD_SOME = (Statement(Nothing, _folding(whole=whole)) for whole in (True, False))
_MANY = Statement(Folder, select(TallyChange.id).offset(bindparam("size", type_=Integer())).limit(1))
_EMPTY = (
    # The sums are asked, too: where a part of the changes is folded in, one may have gone before another has come.
    Statement(
        Nothing,
        delete(MapCount).where(MapCount.events == _NONE, MapCount.sum_x == _NONE, MapCount.sum_y == _NONE),
    ),
    Statement(Nothing, delete(TitleWord).where(TitleWord.events == _NONE)),
)
_REWIND = Statement(Nothing, update(Tally).values(counted_until=_LONG_AGO))
_NOTE_ANEW = Statement(Nothing, _noted_anew())
_unfolded = not_folded().subquery("unfolded")
_SPREAD = Statement(
    Spread,
    select(
        cast(
            func.coalesce(select(func.sum(MapCount.events)).where(MapCount.level == LEVELS[0]).scalar_subquery(), _NONE)
            + func.coalesce(select(func.sum(_unfolded.c.sign)).scalar_subquery(), _NONE),
            BigInteger(),
        ).label("counted"),
        select(func.count())
        .select_from(Event)
        .where(stands_on_map(Event), Event.ends_at > counted_until())
        .scalar_subquery()
        .label("there"),
    ),
)


async def lock_tally(ctx: Ctx) -> None:
    """Hold the tally's row, made where there is none: whoever folds changes in does so one after the other."""
    await ctx.db.run(_BEGIN, tenant=ctx.tenant_id)
    await ctx.db.run(_LOCK)


async def fold_changes(ctx: Ctx, most: int = 50_000) -> None:
    """Take in what was changed, under the tally's lock, and forget what is in no event any more.

    most: changes at once, which takes some seconds; where there are more, the rest stays for the next time.
    """
    if await ctx.db.one(_MANY, size=most):
        await ctx.db.run(_FOLD_SOME, tenant=ctx.tenant_id, size=most)
    else:
        await ctx.db.run(_FOLD, tenant=ctx.tenant_id, now=ctx.now)
    for each in _EMPTY:
        await ctx.db.run(each)


async def note_anew(ctx: Ctx) -> None:
    """Make changes of all events, under the tally's lock, to be folded into tallies that are empty by then."""
    await ctx.db.run(_REWIND)
    await ctx.db.run(_NOTE_ANEW)


async def spread_of(ctx: Ctx) -> Spread:
    """How many events the tallies say are to come, and how many are."""
    found = await ctx.db.one(_SPREAD)
    return found if found is not None else Spread(counted=0, there=0)
