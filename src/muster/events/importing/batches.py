"""A file into a community: some hundred rows a transaction, each row answered for."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from uuid import UUID

import asyncpg
from msgspec import convert, structs

from muster.chat import commands as chat
from muster.events.cities.points import Place, points_of
from muster.events.commands.organise import put_changes
from muster.events.facts import EventImported
from muster.events.importing import queries
from muster.events.importing.queries import Known
from muster.events.importing.records import STORED, Arrival, Refused, arrival
from muster.events.importing.rows import Row
from muster.events.queries import editable, lock_event
from muster.events.tables import EventStatus, MeetingKind
from muster.kit.commands.context import Ctx
from muster.kit.db.failures import RETRIABLE
from muster.kit.errors import FieldProblem
from muster.kit.ids import new_id

BATCH = 500
_ATTEMPTS = 3
_WHERE = ("city", "country", "latitude", "longitude")
_LEFT_ALONE = {
    EventStatus.CANCELLED: "it was cancelled here, and stays as it is",
    EventStatus.DELETED: "it was deleted here, and stays so",
}


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Result:
    """What became of one row.

    event_id: None when it was refused. In a dry run the id of what would be created means nothing.
    notes: what had to be decided.
    """

    row: Row
    outcome: Outcome
    event_id: UUID | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True)
class _Decided:
    """What a row that is fine leads to."""

    arrival: Arrival
    outcome: Outcome
    event_id: UUID
    notes: tuple[str, ...]

    def result(self) -> Result:
        return Result(self.arrival.row, self.outcome, self.event_id, self.notes)


@dataclass
class Import:
    """One run over one file.

    transaction: opens one in the community, in which the system acts. owner_id: whose new events are.
    source: where they come from; with a row's own id it tells whether it came before. dry_run: look, change nothing.
    """

    transaction: Callable[[], AbstractAsyncContextManager[Ctx]]
    owner_id: UUID
    source: str
    dry_run: bool = False
    _lines: dict[str, int] = field(default_factory=dict)

    async def run(self, rows: Iterable[Row], *, size: int = BATCH) -> AsyncIterator[list[Result]]:
        """Bring rows in; what is answered is committed.

        size: rows of a transaction. Raises what the driver raises when the database is lost: the next run goes on.
        """
        waiting = iter(rows)
        while batch := list(islice(waiting, size)):
            checked = [self._check(row) for row in batch]
            good = [each for each in checked if isinstance(each, Arrival)]
            brought = {each.row.line: each for each in await self._bring_in(good)}
            yield [each if isinstance(each, Result) else brought[each.row.line] for each in checked]

    def _check(self, row: Row) -> Arrival | Result:
        """The row, fit to come in, or its refusal."""
        try:
            found = arrival(row)
            first = self._lines.setdefault(found.source_id, row.line)
            if first != row.line:
                raise Refused(FieldProblem("", "DOUBLE", f"is the same event as line {first}"))
        except Refused as refusal:
            return Result(row, Outcome.REFUSED, problems=refusal.problems)
        return found

    async def _bring_in(self, arrivals: Sequence[Arrival]) -> list[Result]:
        """All of them, or where the database itself refuses one, all others: halving finds which."""
        if not arrivals:
            return []
        try:
            return await self._attempts(arrivals)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if len(arrivals) == 1:
                problem = FieldProblem("", "INVALID", f"cannot be stored: {error}")
                return [Result(arrivals[0].row, Outcome.REFUSED, problems=(problem,))]
        half = len(arrivals) // 2
        return await self._bring_in(arrivals[:half]) + await self._bring_in(arrivals[half:])

    async def _attempts(self, arrivals: Sequence[Arrival]) -> list[Result]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._attempt(arrivals)
            except RETRIABLE:
                continue
        return await self._attempt(arrivals)

    async def _attempt(self, arrivals: Sequence[Arrival]) -> list[Result]:
        async with self.transaction() as ctx:
            ctx.act_as(self.owner_id)
            await queries.lock_source(ctx, self.source)
            known = await queries.known(ctx, self.source, [each.source_id for each in arrivals])
            decided = [_decide(each, known.get(each.source_id)) for each in await _located(ctx, arrivals)]
            if not self.dry_run:
                await self._write(ctx, decided)
        return [each.result() for each in decided]

    async def _write(self, ctx: Ctx, decided: Sequence[_Decided]) -> None:
        fresh = {each.event_id: each.arrival for each in decided if each.outcome == Outcome.CREATED}
        await queries.put_events(ctx, self.source, fresh)
        await chat.open_rooms(ctx, room_ids=fresh.keys(), user_id=self.owner_id)
        for event_id in fresh:
            ctx.record(EventImported(event_id=event_id))
        # In the order of their ids, as whoever locks several rows does.
        for each in sorted(decided, key=lambda each: each.event_id):
            if each.outcome == Outcome.UPDATED:
                await _change(ctx, each.event_id, each.arrival)


async def _located(ctx: Ctx, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The rows, in the middle of their cities where they name no point. A row says of itself what it did before."""
    places = [convert({name: each.values[name] for name in _WHERE}, Place) for each in arrivals]
    points = await points_of(ctx, [place.named for place in places if place.named is not None])
    found = [place.at(points.get(place.named)) if place.named else place for place in places]
    return [
        replace(each, values=each.values | structs.asdict(place), notes=_notes(each, place))
        for each, place in zip(arrivals, found, strict=True)
    ]


def _notes(arrival: Arrival, place: Place) -> tuple[str, ...]:
    """What had to be decided, where the event is among it."""
    if place.has_city_point:
        return (*arrival.notes, "latitude: is not given, so the event stands in the middle of its city")
    is_nowhere = place.latitude is None and arrival.values["meeting_kind"] == MeetingKind.ONSITE
    return (
        (*arrival.notes, "latitude: is not known, so the event is not found by distance")
        if is_nowhere
        else arrival.notes
    )


async def _change(ctx: Ctx, event_id: UUID, arrival: Arrival) -> None:
    """Let an event say what its row says now; who has a place is told if it moved."""
    event = await lock_event(ctx, event_id)
    if event is None:
        return  # Deleted meanwhile: the next import leaves it alone.
    before = await editable(ctx, event_id)
    tags = before.tags if set(before.tags) == set(arrival.tags) else arrival.tags
    after = structs.replace(before, tags=tags, **{name: arrival.values[name] for name in STORED})
    if after != before:
        await put_changes(ctx, event, before, after)
    await queries.put_digest(ctx, event_id, arrival.digest)


def _decide(arrival: Arrival, known: Known | None) -> _Decided:
    """New, changed since it last came, or neither. What people here changed of an event stays until its row changes."""
    if known is None:
        return _Decided(arrival, Outcome.CREATED, new_id(), arrival.notes)
    if known.source_digest == arrival.digest:
        return _Decided(arrival, Outcome.UNCHANGED, known.id, arrival.notes)
    if known.status in _LEFT_ALONE:
        return _Decided(arrival, Outcome.UNCHANGED, known.id, (*arrival.notes, _LEFT_ALONE[known.status]))
    return _Decided(arrival, Outcome.UPDATED, known.id, arrival.notes)
