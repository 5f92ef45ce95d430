"""The audit log, taken along by an operator."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

from cyclopts import Parameter

from muster.audit.commands import AuditExported
from muster.audit.exporting import MOST, NOBODY, Exported, ExportFormat, part, written
from muster.cli.accounts import TenantOption
from muster.cli.operator import Operator, operating
from muster.cli.output import progress_bar
from muster.kit.processes import CannotRun

_EVER = datetime(1970, 1, 1, tzinfo=UTC)

FileArgument = Annotated[Path | None, Parameter(help="Where to write it; without it, to the standard output.")]
FormatOption = Annotated[ExportFormat, Parameter("--format", help="csv for spreadsheets, jsonl for programs.")]
SinceOption = Annotated[
    datetime | None, Parameter(help="From which moment on, in UTC; without it, from the beginning.")
]
UntilOption = Annotated[datetime | None, Parameter(help="Up to which moment, in UTC; without it, up to now.")]


async def export_audit(
    file: FileArgument = None,
    *,
    tenant: TenantOption = None,
    form: FormatOption = ExportFormat.JSONL,
    since: SinceOption = None,
    until: UntilOption = None,
) -> None:
    """Write the audit log of a community, the oldest first, as CSV or JSON Lines; the log says that you did.

    Example: muster audit export log.csv --format csv --tenant chess-club --since 2026-01-01
    """
    number = 0
    async with operating("audit export", tenant=tenant) as operator:
        with _opened(file) as out, progress_bar("{task.fields[rows]} rows") as progress:
            task = progress.add_task("Exporting", total=None, rows=0)
            async for found in _parts(operator, _moment(since) or _EVER, _moment(until) or datetime.now(UTC)):
                out.write(written(found, form, is_first=number == 0))
                number += len(found)
                progress.update(task, rows=number)
        async with operator.transaction() as ctx:
            ctx.record(AuditExported(tenant_id=operator.tenant_id, rows=number))
    print(f"{number} rows are written.", file=sys.stderr)


async def _parts(operator: Operator, since: datetime, until: datetime) -> AsyncIterator[list[Exported]]:
    """The log in parts, the first even where it is empty; each in a transaction of its own, so that nothing is held open."""
    place, found = (since, NOBODY), list[Exported]()
    while not found or len(found) == MOST:
        async with operator.services.database.transaction(operator.tenant_id) as tx:
            found = await part(tx, operator.tenant_id, after=place, until=until)
        yield found
        if not found:
            return
        place = (found[-1].at, found[-1].id)


def _moment(given: datetime | None) -> datetime | None:
    return given if given is None or given.tzinfo else given.replace(tzinfo=UTC)


@contextmanager
def _opened(file: Path | None) -> Iterator[TextIO]:
    """Where to write. What is in it is for few, so a new file is for this user alone. Raises CannotRun for one that is there."""
    if file is None:
        yield sys.stdout
        return
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise CannotRun(f"{file} is there already: name another file, or remove it.") from None
    with file.open("w", encoding="utf-8", newline="") as out:
        yield out
