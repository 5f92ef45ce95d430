"""Jobs, looked at and put right by an operator. See `muster.kit.work.operating`."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

import muster.handlers  # noqa: F401 - a queue is known by its handler
from muster.access.gate import GATE
from muster.cli.output import JsonFlag, show, show_json, show_list, show_rows
from muster.cli.urls import running_database
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.opening import sound_database
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.processes import CannotRun
from muster.kit.text import as_id
from muster.kit.work import operating
from muster.kit.work.handlers import followers
from muster.kit.work.operating import Chosen, JobRow, State
from muster.kit.work.stats import queue_stats
from muster.settings import Settings

QueueOption = Annotated[str | None, Parameter(help="Of this queue: a handler's name, as `muster jobs stats` has it.")]
TenantOption = Annotated[str | None, Parameter(help="Of the community with this id.")]
FactOption = Annotated[str | None, Parameter(help="That follow facts of this kind, such as event.cancelled.")]
AllFlag = Annotated[bool, Parameter("--all", negative="", help="All of them.")]
Ids = Annotated[list[int] | None, Parameter(help="By number, as `muster jobs list` has them.")]
QueueArgument = Annotated[str, Parameter(help="A handler's name, as `muster jobs stats` has it.")]

_SHORT = ("id", "queue", "state", "fact", "attempts", "due_at", "error")
_CELL = 60


async def list_jobs(
    *,
    state: State | None = None,
    queue: QueueOption = None,
    tenant: TenantOption = None,
    fact: FactOption = None,
    first: Annotated[int, Parameter(help="How many at most.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List jobs that wait, run or have failed; those that are done are only counted.

    Example: muster jobs list --state failed --queue chat.notices.tell_of_messages
    """
    async with _operating("list") as ctx:
        found = await operating.find_jobs(ctx.db, _chosen(None, queue, tenant, fact, state=state), first=first)
    if as_json:
        show_json(found)
    else:
        show_rows([_short(job) for job in found])


async def show_job(job: Annotated[int, Parameter(help="Its number.")], *, as_json: JsonFlag = False) -> None:
    """Show all there is to know of one job: its state, its attempts and their errors.

    Example: muster jobs show 4711
    """
    async with _operating("show") as ctx:
        found = await operating.find_jobs(ctx.db, Chosen(ids=[job]), first=1)
        lines = await operating.lines_of(ctx.db, job)
    if not found and not lines:
        raise CannotRun(f"There is no job {job}: `muster jobs list` shows which there are.")
    if as_json:
        show_json({"job": found[0] if found else None, "lines": lines})
        return
    show_rows(
        [{"of the job": name, "": value} for each in found for name, value in msgspec.structs.asdict(each).items()]
    )
    for line in lines:
        print(f"{line.at:%Y-%m-%d %H:%M:%S} {line.status}")
        print("".join(f"    {text}\n" for text in (line.traceback or "").splitlines()), end="")


async def job_stats(*, as_json: JsonFlag = False) -> None:
    """Count the jobs of every queue by their state.

    Example: muster jobs stats
    """
    async with _operating("stats") as ctx:
        found = await queue_stats(ctx.db.connection, sorted(followers()))
    show_list(found, as_json=as_json)


async def pause_queue(queue: QueueArgument, *, as_json: JsonFlag = False) -> None:
    """Let a queue stand still until it is resumed, whichever workers come and go; what runs is finished.

    Example: muster jobs pause kit.mail.delivery.Delivery
    """
    async with _operating("pause") as ctx:
        await _must_be_there(ctx, queue)
        await operating.pause(ctx, queue)
    show({"queue": queue, "paused": True}, f"{queue} stands still.", as_json=as_json)


async def resume_queue(queue: QueueArgument, *, as_json: JsonFlag = False) -> None:
    """Let a queue that stands still go on.

    Example: muster jobs resume kit.mail.delivery.Delivery
    """
    async with _operating("resume") as ctx:
        await _must_be_there(ctx, queue)
        await operating.resume(ctx, queue)
    show({"queue": queue, "paused": False}, f"{queue} goes on.", as_json=as_json)


async def retry_jobs(
    jobs: Ids = None,
    /,
    *,
    queue: QueueOption = None,
    tenant: TenantOption = None,
    fact: FactOption = None,
    everything: AllFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Queue failed jobs again, with all their attempts: some by number, or all of a queue, community or kind of fact.

    Example: muster jobs retry 4711 4712
    Example: muster jobs retry --queue kit.mail.delivery.Delivery
    """
    await _act("retry", "queued again", _chosen(jobs, queue, tenant, fact, needed=not everything), as_json=as_json)


async def discard_jobs(
    jobs: Ids = None,
    /,
    *,
    queue: QueueOption = None,
    tenant: TenantOption = None,
    fact: FactOption = None,
    everything: AllFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Throw failed jobs away, chosen as for `retry`. What they should have done is never done.

    Example: muster jobs discard 4711
    """
    await _act("discard", "thrown away", _chosen(jobs, queue, tenant, fact, needed=not everything), as_json=as_json)


async def cancel_jobs(
    jobs: Ids = None,
    /,
    *,
    queue: QueueOption = None,
    tenant: TenantOption = None,
    fact: FactOption = None,
    everything: AllFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Cancel jobs that wait or run, chosen as for `retry`. One that runs ends when its handler next asks.

    Example: muster jobs cancel --queue events.notices.tell_cancelled --tenant 0198a0c4-...
    """
    await _act("cancel", "cancelled", _chosen(jobs, queue, tenant, fact, needed=not everything), as_json=as_json)


async def _act(verb: Literal["retry", "discard", "cancel"], told: str, chosen: Chosen, *, as_json: bool) -> None:
    act = {"retry": operating.retry, "discard": operating.discard, "cancel": operating.cancel}[verb]
    async with _operating(verb) as ctx:
        ids = await act(ctx, chosen)
    if chosen.ids and (missed := sorted(set(chosen.ids) - set(ids))):
        raise CannotRun(
            f"{len(ids)} jobs are {told}; {', '.join(map(str, missed))}: not there, or not in a state for it. "
            "`muster jobs show` tells which."
        )
    show({"jobs": ids}, f"{len(ids)} jobs are {told}.", as_json=as_json)


@asynccontextmanager
async def _operating(verb: str) -> AsyncIterator[Ctx]:
    """A transaction of the worker's role, which alone has a way to the queue.

    Raises CannotRun when there is no such database.
    """
    settings = Settings.load()
    with running_database(settings) as urls:
        opening = sound_database(urls.worker, size=1, process=f"muster jobs {verb}", setting="DATABASE_WORKER_URL")
        async with (
            opening as database,
            system_transaction(
                Services(database, settings, GATE, wake=lambda: None),
                tenant_id=PLATFORM_TENANT,
                verb=f"jobs {verb}",
                reason=f"muster jobs {verb}, run by {getpass.getuser()}",
                now=datetime.now(UTC),
                request_id=str(new_id()),
            ) as ctx,
        ):
            yield ctx


def _chosen(
    jobs: list[int] | None,
    queue: str | None,
    tenant: str | None,
    fact: str | None,
    *,
    state: State | None = None,
    needed: bool = False,
) -> Chosen:
    """Raises CannotRun when the tenant is no id, or when nothing is chosen though something is `needed`."""
    if needed and jobs is None and queue is None and tenant is None and fact is None:
        raise CannotRun("Say which: their numbers, --queue, --tenant, --fact, or --all.")
    tenant_id = None if tenant is None else as_id(tenant)
    if tenant is not None and tenant_id is None:
        raise CannotRun(f"{tenant!r} is no id of a community: `muster tenant list` shows all.")
    return Chosen(jobs, queue, tenant_id, fact, state)


async def _must_be_there(ctx: Ctx, queue: str) -> None:
    if queue not in {each.name for each in await queue_stats(ctx.db.connection, sorted(followers()))}:
        raise CannotRun(f"There is no queue {queue!r}: `muster jobs stats` shows all.")


def _short(job: JobRow) -> dict[str, Any]:
    values = msgspec.structs.asdict(job)
    return {name: str(values[name])[:_CELL] if name == "error" and values[name] else values[name] for name in _SHORT}
