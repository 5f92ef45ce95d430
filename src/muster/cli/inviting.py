"""Inviting the people of a file into a community."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Annotated, TextIO
from uuid import UUID

from cyclopts import Parameter

from muster.cli.operator import Operator, operating
from muster.cli.output import JsonFlag, progress_bar, show
from muster.cli.tenants import SlugArgument
from muster.events.importing.rows import Row, Unreadable
from muster.events.importing.sheets import read_table
from muster.identity.commands import normal_email
from muster.kit.arguments import fitting
from muster.kit.errors import Invalid
from muster.kit.processes import CannotRun
from muster.kit.sheets import lines
from muster.tenancy.commands.invitations import MEMBER_INVITE
from muster.tenancy.granting import held_by
from muster.tenancy.inviting.commands import InvitationOutcome, InvitedRow, invite_rows
from muster.tenancy.inviting.rules import MOST, InvitationRow, Refusal, Wanted, read_rows
from muster.tenancy.queries import find_member, find_owner

_COLUMNS = ("line", "email", "outcome", "code", "reason")


class _NothingKept(Exception):
    """A dry run is over."""


async def invite_members(
    slug: SlugArgument,
    file: Annotated[Path, Parameter(help="CSV whose first line names its columns: email, and role, team, language.")],
    *,
    by: Annotated[str | None, Parameter(help="The mail of who invites; else the community's owner.")] = None,
    days: Annotated[int, Parameter(help="How many days the invitations are good, up to 90.")] = 7,
    report: Annotated[Path | None, Parameter(help="Where to write what became of each row.")] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would happen, and invite nobody.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Invite the people of a file by mail, as somebody who may; a second time mails nobody anew.

    Each row is answered for in the report; where any was refused, the exit code is 1.

    Example: muster tenant invite chess-club members.csv --dry-run
    """
    if not file.is_file():
        raise CannotRun(f"{file} is not a file that can be read.")
    if not 1 <= days <= 90:
        raise CannotRun("--days is a number from 1 to 90.")
    path = report or Path(f"{file.stem}.report.csv")
    if path.exists() and path.samefile(file):
        raise CannotRun(f"The report would replace {file}: choose another place with --report.")
    async with operating("tenant invite", tenant=slug) as operator:
        run = _Run(operator, await _inviter(operator, by), days, dry_run)
        with _reporting(path) as written, progress_bar("{task.percentage:.0f} %") as progress:
            task = progress.add_task("Inviting", total=file.stat().st_size)
            async for told, end in run.run(file):
                written.write(lines((each.row, each.email, each.outcome, each.code, each.reason) for each in told))
                progress.update(task, completed=end)
    _tell(run.counts, path, dry_run=dry_run, as_json=as_json)


async def _inviter(operator: Operator, email: str | None) -> UUID:
    """On whose rights the invitations rest. Raises CannotRun for somebody who may not invite."""
    async with operator.transaction() as ctx:
        found = await (find_owner(ctx) if email is None else find_member(ctx, normal_email(email)))
        held = frozenset() if found is None else await held_by(ctx, found)
    if found is None and email is None:
        raise CannotRun("This community has no owner: say with --by who invites.")
    if found is None or MEMBER_INVITE not in held:
        raise CannotRun(f"{email} is nobody who may invite here: `muster user list --tenant` shows its members.")
    return found


class _Run:
    """One run over one file. counts: how many rows came to what."""

    def __init__(self, operator: Operator, inviter_id: UUID, days: int, dry_run: bool) -> None:
        self.counts: Counter[InvitationOutcome] = Counter(dict.fromkeys(InvitationOutcome, 0))
        self._operator, self._inviter_id, self._days, self._dry_run = operator, inviter_id, days, dry_run
        self._seen: dict[str, int] = {}

    async def run(self, file: Path) -> AsyncIterator[tuple[list[InvitedRow], int]]:
        """What became of some hundred rows at a time, and where in the file they end; what is answered is committed.

        Raises CannotRun for a file that is no table.
        """
        with file.open("rb") as source:
            waiting = _table(file, read_table(source, needs=("email",)))
            while batch := list(islice(waiting, MOST)):
                told = await self._invite([checked for row in batch for checked in self._check(row)])
                self.counts.update(each.outcome for each in told)
                yield told, batch[-1].end

    def _check(self, row: Row) -> Iterator[tuple[Wanted, Refusal | None]]:
        if row.fields is None:
            yield Wanted(row.line, "", "", "", None), Refusal("UNREADABLE", row.problem or "cannot be read")
            return
        given = {name: row.fields[name] for name in InvitationRow.__struct_fields__ if name in row.fields}
        try:
            yield from read_rows([(row.line, fitting({"email": "", **given}, InvitationRow))], self._seen)
        except Invalid as error:
            yield Wanted(row.line, "", "", "", None), Refusal.of(error)

    async def _invite(self, rows: list[tuple[Wanted, Refusal | None]]) -> list[InvitedRow]:
        """Invite in one transaction. Who operates the deployment answers for its mail, so the share of an hour is not theirs."""
        told: list[InvitedRow] = []
        with suppress(_NothingKept):
            async with self._operator.transaction() as ctx:
                ctx.act_as(self._inviter_id)
                ctx.permissions = await held_by(ctx, self._inviter_id)
                told = await invite_rows(ctx, rows, days=self._days, most=None, tells_members=True)
                if self._dry_run:
                    raise _NothingKept
        return told


def _table(file: Path, rows: Iterator[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except Unreadable as error:
        raise CannotRun(f"{file}: {error}.") from None


@contextmanager
def _reporting(path: Path) -> Iterator[TextIO]:
    """A table with a row for every row. It holds addresses, so a new file is for this user alone."""
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(lines([_COLUMNS]))
        yield out


def _tell(counts: Counter[InvitationOutcome], path: Path, *, dry_run: bool, as_json: bool) -> None:
    """The summary; exit code 1 when rows were refused, so that whoever runs this by night learns of it."""
    told = {outcome.lower(): count for outcome, count in counts.items()}
    said = ", ".join(f"{count} {outcome}" for outcome, count in told.items())
    would = "A dry run, nobody was invited: " if dry_run else ""
    data = {**told, "dryRun": dry_run, "report": str(path)}
    show(data, f"{would}{said}. What became of each row: {path}", as_json=as_json)
    if refused := counts[InvitationOutcome.REFUSED]:
        sys.exit(f"muster: {refused} rows were refused; the reasons are in {path}.")
