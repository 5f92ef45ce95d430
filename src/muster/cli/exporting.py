"""What is kept of a person or of a community, given out by an operator."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from muster.cli.operator import Operator, operating
from muster.cli.output import JsonFlag, progress_bar, show
from muster.identity import queries as identity
from muster.identity.commands import normal_email
from muster.kit.commands.journal import Entry, write_journal
from muster.kit.personal.exporting import Archive
from muster.kit.processes import CannotRun
from muster.privacy import queries as privacy

FileArgument = Annotated[Path, Parameter(help="Where to write the archive, a ZIP; there must be none yet.")]


async def export_person(
    email: Annotated[str, Parameter(help="The mail of whose account.")],
    file: FileArgument,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Write all that is kept of a person, in every community, as JSON and CSV; the audit log says that you did.

    Example: muster export person ada@example.org ada.zip
    """
    async with operating("export person") as operator:
        async with operator.transaction() as ctx:
            user_id = await identity.user_by_email(ctx, normal_email(email))
            communities = [(each.id, each.slug) for each in await privacy.policies(ctx)]
        if user_id is None:
            raise CannotRun(f"Nobody has an account with the mail {email}.")
        await _export(operator, user_id, communities, file, as_json=as_json)


async def export_tenant(
    slug: Annotated[str, Parameter(help="The slug of the community.")], file: FileArgument, *, as_json: JsonFlag = False
) -> None:
    """Write all that a community has, as JSON and CSV; people are in it by their ids. The audit log says that you did.

    Example: muster export tenant chess-club chess-club.zip
    """
    async with operating("export tenant", tenant=slug) as operator:
        await _export(operator, None, [(operator.tenant_id, slug)], file, as_json=as_json)


async def _export(
    operator: Operator, user_id: UUID | None, communities: Sequence[tuple[UUID, str]], file: Path, *, as_json: bool
) -> None:
    """Write the archive beside its place, readable by nobody else, and put it there when it is whole."""
    half = file.with_name(f".{file.name}.part")
    try:
        _begin(half, file)
        with progress_bar("{task.percentage:.0f} %") as progress:
            task = progress.add_task("Exporting", total=1.0)

            async def told(done: float) -> None:
                progress.update(task, completed=done)

            archive = Archive(operator.services.database, user_id, communities, told)
            counts = await archive.write(half, at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        kind, object_id = ("Tenant", operator.tenant_id) if user_id is None else ("User", user_id)
        async with operator.transaction() as ctx:
            await write_journal(ctx, Entry(verb=operator.verb, outcome="done", object_kind=kind, object_id=object_id))
        half.rename(file)
    except OSError as error:
        raise CannotRun(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        half.unlink(missing_ok=True)
    rows = sum(counts.values())
    data = {"file": str(file), "rows": rows, "tables": {name: count for name, count in counts.items() if count}}
    show(data, f"{rows} rows are in {file}. Whoever has that file has all of them: keep it well.", as_json=as_json)


def _begin(half: Path, file: Path) -> None:
    if file.exists():
        raise CannotRun(f"{file} is there already: choose another place.")
    os.close(os.open(half, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
