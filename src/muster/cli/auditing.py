"""The audit log, verified and exported by an operator."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
from cyclopts import Parameter
from rich.progress import Progress, TaskID

from muster.audit.keeping import kept_for
from muster.audit.rules import key_from
from muster.audit.verifying import SAYS, Report, Terms, verify
from muster.cli.operator import Operator, operating
from muster.cli.output import JsonFlag, progress_bar, show_json
from muster.kit.commands.tables import AuditChain
from muster.kit.processes import CannotRun
from muster.tenancy.queries import EVERY_TENANT

_SHOWN = 20


class Verified(msgspec.Struct, rename="camel"):
    """What one chain of one tenant came to; another run can be held `--against` it."""

    tenant_id: UUID
    report: Report


TenantOption = Annotated[str | None, Parameter(help="The slug of a community; without it, all of them.")]
AgainstOption = Annotated[
    Path | None,
    Parameter(help="What an earlier run printed with --json, kept elsewhere: the log must go on from there."),
]


async def verify_audit(
    *, tenant: TenantOption = None, against: AgainstOption = None, as_json: JsonFlag = False
) -> None:
    """Look for rows of the audit log that were edited, removed, put in or put in another order; exit code 1 if there are.

    Example: muster audit verify --json > ends.json
    """
    ends = {} if against is None else _ends(against)
    found: list[Verified] = []
    async with operating("audit verify", tenant=tenant) as operator:
        tenants = [operator.tenant_id] if tenant is not None else await _all_tenants(operator)
        chains = [(tenant_id, chain) for tenant_id in tenants for chain in AuditChain]
        with progress_bar("{task.fields[rows]} rows") as progress:
            task = progress.add_task("Verifying", total=len(chains), rows=0)
            for tenant_id, chain in chains:
                before = sum(each.report.rows for each in found)
                tell = partial(_show, progress, task, before)
                report = await _verified(operator, tenant_id, chain, ends.get((tenant_id, chain), {}), tell)
                found.append(Verified(tenant_id, report))
                progress.advance(task)
    _tell(found, as_json=as_json)


def _show(progress: Progress, task: TaskID, before: int, rows: int) -> None:
    progress.update(task, rows=before + rows)


async def _all_tenants(operator: Operator) -> list[UUID]:
    async with operator.transaction() as ctx:
        return [each.tenant_id for each in await ctx.db.all(EVERY_TENANT)]


async def _verified(
    operator: Operator, tenant_id: UUID, chain: AuditChain, ends: dict[int, str], tell: Callable[[int], None]
) -> Report:
    """What one chain comes to. tell: is told again and again how many of its rows were looked at."""
    settings, database = operator.services.settings, operator.services.database
    async with database.transaction(tenant_id) as tx:
        kept = await kept_for(tx, tenant_id, chain, settings)
    terms = Terms(
        tenant_id=tenant_id,
        chain=chain,
        keys=dict(map(key_from, settings.security.secrets)),
        now=datetime.now(UTC),
        kept=kept - timedelta(days=1),
        ends=ends,
    )
    report = Report(chain)
    async for report in verify(lambda: database.transaction(tenant_id), terms):
        tell(report.rows)
    return report


def _ends(path: Path) -> dict[tuple[UUID, AuditChain], dict[int, str]]:
    """Where the chains ended at an earlier run."""
    try:
        earlier = msgspec.json.decode(path.read_bytes(), type=list[Verified])
    except (OSError, msgspec.DecodeError) as error:
        raise CannotRun(f"{path} is not what `muster audit verify --json` prints: {error}") from None
    return {
        (each.tenant_id, each.report.chain): {each.report.number: each.report.mac}
        for each in earlier
        if each.report.number
    }


def _tell(found: list[Verified], *, as_json: bool) -> None:
    broken = [(each.tenant_id, each.report.chain, one) for each in found for one in each.report.breaks]
    if as_json:
        show_json([each for each in found if each.report.number or each.report.breaks or each.report.waiting])
    else:
        rows, waiting = (sum(getattr(each.report, name) for each in found) for name in ("rows", "waiting"))
        print(f"{rows} rows are as they were sealed, or named below; {waiting} wait for their seal.")
        for tenant_id, chain, one in broken[:_SHOWN]:
            where = f"row {one.row_id}" if one.row_id is not None else f"seal {one.number}"
            print(f"{tenant_id} {chain} {where}: {SAYS[one.kind]} ({one.kind})")
    if broken:
        more = "" if len(broken) <= _SHOWN or as_json else " --json shows all."
        sys.exit(f"muster: the audit log was tampered with in {len(broken)} places.{more}")
