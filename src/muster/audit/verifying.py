"""Whether the audit log still is what was sealed: walks the chains, and names what was edited, removed or put in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from muster.audit import queries
from muster.audit.queries import Checkpoint, Seal
from muster.audit.rules import BEGINNING, CHECKPOINT, SEAL, Entry, Keys, Link, Sealable, size_of, unpacked
from muster.kit.commands.tables import AuditChain
from muster.kit.db.database import Transaction

_SEALS_A_PAGE = 20
_MOST_BREAKS = 1000
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """What can be wrong with an audit log."""

    ROW_EDITED = "ROW_EDITED"
    ROW_REMOVED = "ROW_REMOVED"
    ROW_INSERTED = "ROW_INSERTED"
    SEAL_CHANGED = "SEAL_CHANGED"
    SEAL_MISSING = "SEAL_MISSING"
    CHECKPOINT_CHANGED = "CHECKPOINT_CHANGED"
    FORGOTTEN_TOO_SOON = "FORGOTTEN_TOO_SOON"
    UNKNOWN_KEY = "UNKNOWN_KEY"


SAYS = {
    Kind.ROW_EDITED: "the row is not what was sealed",
    Kind.ROW_REMOVED: "the row was sealed and is gone",
    Kind.ROW_INSERTED: "the row was never sealed, and does not wait for it: it was put in past Muster",
    Kind.SEAL_CHANGED: "the seal was changed, its rows put in another order, or the seal before replaced",
    Kind.SEAL_MISSING: "seals are missing here",
    Kind.CHECKPOINT_CHANGED: "the checkpoint, or one before it, was changed or removed",
    Kind.FORGOTTEN_TOO_SOON: "everything before was removed before its time",
    Kind.UNKNOWN_KEY: "it was sealed with a key that does not come from the deployment's secret",
}
"""What each kind means, for people."""


class Break(msgspec.Struct, frozen=True):
    """Something that is wrong. number: of the seal or checkpoint. row_id: of the audit row."""

    kind: Kind
    number: int | None = None
    row_id: UUID | None = None


class Report(msgspec.Struct):
    """What was found in one chain.

    rows, seals: how many were looked at. bare: rows from which what is personal was taken away. waiting: rows that the
    sealer has not seen yet. number, mac: of the last seal. breaks: the first of what is wrong.
    """

    chain: AuditChain
    rows: int = 0
    seals: int = 0
    bare: int = 0
    waiting: int = 0
    number: int = 0
    mac: str = ""
    breaks: list[Break] = msgspec.field(default_factory=list)

    def add(self, kind: Kind, number: int | None = None, row_id: UUID | None = None) -> None:
        """Tell of something that is wrong."""
        if len(self.breaks) < _MOST_BREAKS:
            self.breaks.append(Break(kind, number, row_id))


@dataclass(frozen=True)
class Terms:
    """What a chain is held against.

    keys: that may have sealed. kept: for how long rows stay at least. ends: MACs of seals by their numbers, from
    earlier reports that were kept elsewhere.
    """

    tenant_id: UUID
    chain: AuditChain
    keys: Keys
    now: datetime
    kept: timedelta
    ends: Mapping[int, str] = field(default_factory=dict)


Look = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction under the tenant."""


async def verify(look: Look, terms: Terms, *, after: int = 0, most: int | None = None) -> AsyncIterator[Report]:
    """Verify one chain, page by page: the same report again and again, as it grows. The last one is whole.

    after: the number of the seal to begin behind; what is before is taken as it is. most: so many seals, about.
    """
    walk = _Walk(terms, Report(terms.chain))
    async with look() as tx:
        await walk.begin(tx, after)
    while most is None or walk.report.seals < most:
        async with look() as tx:
            seals = await queries.seals_after(tx, terms.tenant_id, terms.chain, walk.number, _SEALS_A_PAGE)
            if not seals:
                break
            await walk.page(tx, seals)
        yield walk.report
    async with look() as tx:
        await walk.end(tx)
    yield walk.report


def _entries_of(seals: Iterable[Seal]) -> list[Entry]:
    return [entry for seal in seals for entry in unpacked(seal.entries)]


@dataclass
class _Walk:
    """Where the verification of a chain has come to.

    number, rows, mac, at: of the last seal; no `mac` is not known, since seals are missing. marks: checkpoints by number.
    strangers: rows that came up by their time, without an entry so far: those of long transactions get one in a later
    seal. early: rows with an entry that are still to come up by their time, since clocks differ.
    """

    terms: Terms
    report: Report
    number: int = 0
    rows: int = 0
    mac: bytes | None = BEGINNING
    at: datetime = _EVER
    marks: dict[int, Checkpoint] = field(default_factory=dict)
    strangers: set[UUID] = field(default_factory=set)
    early: set[UUID] = field(default_factory=set)

    async def begin(self, tx: Transaction, after: int) -> None:
        """Find the beginning: the first seal of all, the checkpoint up to which all was forgotten, or where to go on."""
        terms = self.terms
        checkpoints = await queries.all_checkpoints(tx, terms.tenant_id, terms.chain)
        self._check_marks(checkpoints)
        self.marks = {each.number: each for each in checkpoints}
        if after:
            await self._go_on_behind(tx, after)
            return
        first = next(iter(await queries.seals_after(tx, terms.tenant_id, terms.chain, 0, 1)), None)
        if first is not None and first.number > 1:
            self._go_on_from(self.marks.get(first.number - 1), first.number)
        elif first is None and checkpoints:
            self._go_on_from(checkpoints[-1], checkpoints[-1].number)

    def _check_marks(self, checkpoints: Iterable[Checkpoint]) -> None:
        previous = BEGINNING
        for each in checkpoints:
            link = self._link(each.number, each.rows, each.at)
            self._check(Kind.CHECKPOINT_CHANGED, link, CHECKPOINT, each, previous, each.seal_mac)
            previous = each.mac

    async def _go_on_behind(self, tx: Transaction, after: int) -> None:
        terms = self.terms
        for seal in await queries.seals_after(
            tx, terms.tenant_id, terms.chain, max(after - _SEALS_A_PAGE, 0), _SEALS_A_PAGE
        ):
            if seal.number <= after:
                self.early |= {entry.id for entry in unpacked(seal.entries)}
                self._stand_at(seal)

    def _go_on_from(self, checkpoint: Checkpoint | None, first: int) -> None:
        if checkpoint is None:
            self.mac = None
            self.report.add(Kind.SEAL_MISSING, first - 1)
            return
        if checkpoint.at > self.terms.now - self.terms.kept:
            self.report.add(Kind.FORGOTTEN_TOO_SOON, checkpoint.number)
        self.number, self.rows, self.mac = checkpoint.number, checkpoint.rows, checkpoint.seal_mac

    async def page(self, tx: Transaction, seals: list[Seal]) -> None:
        """Check some seals and their rows, and what else there is of their time."""
        since, until = self.at, seals[-1].at
        for seal in seals:
            self._check_seal(seal)
            self._stand_at(seal)
        entries = await asyncio.to_thread(_entries_of, seals)
        found = await queries.rows_between(tx, self.terms.tenant_id, self.terms.chain, since, until)
        others = [entry.id for entry in entries if entry.id not in found]
        found_elsewhere = await queries.rows_by_id(tx, self.terms.tenant_id, others) if others else {}
        # A page may be many thousand rows, and each is hashed: meanwhile the loop serves others.
        await asyncio.to_thread(self._check_rows, entries, {**found_elsewhere, **found})
        self.strangers -= set(others)
        self.early |= {each.id for each in found_elsewhere.values() if each.at > until}
        self._meet(found.keys() - {entry.id for entry in entries})
        self.report.rows += len(entries)
        self.report.seals += len(seals)

    def _meet(self, rows: Iterable[UUID]) -> None:
        """Take note of rows whose time has come up, and which no seal of that time holds."""
        rows = set(rows)
        self.strangers |= rows - self.early
        self.early -= rows

    def _check_seal(self, seal: Seal) -> None:
        if seal.number != self.number + 1:
            self.mac = None
            self.report.add(Kind.SEAL_MISSING, self.number + 1)
        elif seal.before != self.rows:
            self.report.add(Kind.SEAL_CHANGED, seal.number)
        elif self.mac is not None:
            link = self._link(seal.number, seal.before, seal.at)
            self._check(Kind.SEAL_CHANGED, link, SEAL, seal, self.mac, seal.entries)
        mark, end = self.marks.get(seal.number), self.terms.ends.get(seal.number)
        if (mark is not None and mark.seal_mac != seal.mac) or (end is not None and end != seal.mac.hex()):
            self.report.add(Kind.SEAL_CHANGED, seal.number)

    def _check(
        self, kind: Kind, link: Link, what: str, found: Seal | Checkpoint, previous: bytes, sealed: bytes
    ) -> None:
        key = self.terms.keys.get(found.key_id)
        if key is None:
            self.report.add(Kind.UNKNOWN_KEY, link.number)
        elif found.mac != link.mac(key, what, previous, sealed):
            self.report.add(kind, link.number)

    def _check_rows(self, entries: Iterable[Entry], rows: Mapping[UUID, Sealable]) -> None:
        for entry in entries:
            self._check_row(entry, rows.get(entry.id))

    def _check_row(self, entry: Entry, row: Sealable | None) -> None:
        if row is None:
            self.report.add(Kind.ROW_REMOVED, row_id=entry.id)
        elif not entry.is_of(row):
            self.report.add(Kind.ROW_EDITED, row_id=entry.id)
        elif row.is_bare:
            self.report.bare += 1

    def _stand_at(self, seal: Seal) -> None:
        self.number, self.rows, self.mac = seal.number, seal.before + size_of(seal.entries), seal.mac
        self.at = seal.at
        self.report.number, self.report.mac = seal.number, seal.mac.hex()

    def _link(self, number: int, rows: int, at: datetime) -> Link:
        return Link(self.terms.tenant_id, self.terms.chain, number, rows, at)

    async def end(self, tx: Transaction) -> None:
        """Say of each row that came up without an entry whether it waits for one, has got one meanwhile, or was put in."""
        terms = self.terms
        newer = await queries.seals_after(tx, terms.tenant_id, terms.chain, self.number, 1)
        if not newer:
            rows = await queries.rows_between(
                tx, terms.tenant_id, terms.chain, self.at, datetime.max.replace(tzinfo=UTC)
            )
            self._meet(rows)
            last = max([0, *self.marks, *terms.ends])
            if last > self.number:
                self.report.add(Kind.SEAL_MISSING, last)
        # First who waits, then who was sealed: rows go from the one to the other.
        waiting = await queries.still_waiting(tx, terms.tenant_id, self.strangers)
        self.report.waiting = len(waiting)
        left = await self._without_entry(tx, self.strangers - waiting)
        for row_id in sorted(left):
            self.report.add(Kind.ROW_INSERTED, row_id=row_id)

    async def _without_entry(self, tx: Transaction, rows: set[UUID]) -> set[UUID]:
        """Those of some rows that no later seal holds."""
        number, terms = self.number, self.terms
        while rows:
            seals = await queries.seals_after(tx, terms.tenant_id, terms.chain, number, _SEALS_A_PAGE)
            if not seals:
                break
            rows = rows - {entry.id for seal in seals for entry in unpacked(seal.entries)}
            number = seals[-1].number
        return rows
