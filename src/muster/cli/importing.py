"""Bringing data of other systems in."""

import sys
import time
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from muster.cli.operator import Operator, operating
from muster.cli.output import JsonFlag, show
from muster.events.importing.batches import Import, Outcome
from muster.events.importing.formats import Format, format_of, head_of, read_rows
from muster.events.importing.report import Report, refused_path, reporting
from muster.events.importing.rows import Unreadable
from muster.identity.commands import normal_email
from muster.kit.processes import CannotRun
from muster.tenancy.queries import find_member, find_owner


async def import_events(
    file: Annotated[Path, Parameter(help="JSON Lines, a table (.csv, .tsv) or a calendar (.ics).")],
    *,
    tenant: Annotated[str | None, Parameter(help="The slug of a community; without it, the default one.")] = None,
    owner: Annotated[str | None, Parameter(help="The mail of whose they become; else the community's owner.")] = None,
    source: Annotated[
        str | None, Parameter(help="Where the rows come from: the same name each time. Else the file's name.")
    ] = None,
    written: Annotated[
        Format | None, Parameter(name="--format", help="How the file is written. Else its ending says it.")
    ] = None,
    report: Annotated[Path | None, Parameter(help="Where to write what became of each row.")] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would happen, and change nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring events in from a file; what came in before is only updated, and only if its row changed.

    A row says name and start_date, and may say start_time, end_date, end_time, timezone, url, online, description,
    address, city, country, latitude, longitude, topics, locales and id, by which it is known again. Rows that break a
    rule are set aside beside the report, and the exit code is 1.

    Example: muster import events conferences.jsonl --dry-run
    Example: muster import events club.ics --source club-calendar
    """
    if not file.is_file():
        raise CannotRun(f"{file} is not a file that can be read.")
    path = report or Path(f"{file.stem}.report.jsonl")
    if any(each.exists() and each.samefile(file) for each in (path, refused_path(path, file))):
        raise CannotRun(f"The report would replace {file}: choose another place with --report.")
    began, kind = time.monotonic(), written or format_of(file)
    async with operating("import events", tenant=tenant) as operator:
        owner_id = await _owner(operator, owner)
        run = Import(operator.transaction, owner_id, source or file.stem, dry_run)
        with reporting(file, path, head_of(file, kind)) as told:
            await _with_progress(run, file, kind, told)
    _tell(told, run.source, seconds=time.monotonic() - began, dry_run=dry_run, as_json=as_json)


async def _owner(operator: Operator, email: str | None) -> UUID:
    """Whose the events become."""
    async with operator.transaction() as ctx:
        found = await (find_owner(ctx) if email is None else find_member(ctx, normal_email(email)))
    if found is None and email is None:
        raise CannotRun("This community has no owner: say with --owner whose the events become.")
    if found is None:
        raise CannotRun(f"No member of this community has the mail {email}: `muster user list` shows all.")
    return found


async def _with_progress(run: Import, file: Path, written: Format, report: Report) -> None:
    """Run it, with a bar on a terminal that grows by bytes read: nobody knows the number of rows before."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=report.source_bytes)
        try:
            async for results in run.run(read_rows(file, written)):
                report.add(results)
                progress.update(task, completed=results[-1].row.end)
        except Unreadable as error:
            raise CannotRun(f"{file} cannot be read: {error}.") from None


def _tell(report: Report, source: str, *, seconds: float, dry_run: bool, as_json: bool) -> None:
    """The summary; exit code 1 when rows were refused, so that whoever runs this by night learns of it."""
    refused = report.counts[Outcome.REFUSED]
    counts = {str(outcome): count for outcome, count in report.counts.items()}
    data = {
        **counts,
        "noted": report.noted,
        "seconds": round(seconds, 1),
        "dryRun": dry_run,
        "report": str(report.path),
        "refusedRows": str(report.refused_path) if refused else None,
    }
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    would = "A dry run, nothing was changed: " if dry_run else ""
    show(data, f"{would}{said} in {seconds:.1f} s. What became of each row: {report.path}", as_json=as_json)
    if refused:
        sys.exit(
            f"muster: {refused} rows were refused; they are in {report.refused_path}, the reasons in {report.path}. "
            f"Once mended they come in with --source {source}."
        )
