"""Running a command: prepare, one transaction, the journal, and what is left when it fails."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog

from muster.kit.caller import PASSER_BY, Caller, Origin, Permission, read_caller, whoever
from muster.kit.commands.batch import Batch, Call, line_up
from muster.kit.commands.command import Command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.idempotency import IdempotencyInProgress, Key, Outcome, claim, find, settle
from muster.kit.commands.journal import Entry, Page, write_journal, write_pages
from muster.kit.commands.tables import AuditChain
from muster.kit.db.database import OUT_OF_REACH, Transaction
from muster.kit.db.failures import RETRIABLE
from muster.kit.db.replicas import Replicas
from muster.kit.errors import AppError
from muster.kit.tracing.switch import carried, shared, step
from muster.kit.views.view import View

log = structlog.get_logger()

_ATTEMPTS = 3


@dataclass(frozen=True)
class Done:
    """A command that committed: what it returned, and for whom the result is read back.

    replayed: it was an earlier request with the same key that did it.
    """

    result: Any
    viewer: UUID | None
    replayed: bool = False


async def run_command(
    services: Services, command: Command, origin: Origin, arguments: dict[str, Any], key: str | None = None
) -> Done:
    """Run a declared command with arguments as `Arguments.read` gave them. As `run_batch` otherwise."""
    (done,) = await run_batch(services, Batch([Call(command, arguments)], origin, key))
    return done


@dataclass(frozen=True)
class _Run:
    """A batch that runs. calls: with what was prepared for each. context: of its task, for who runs it in another."""

    services: Services
    batch: Batch
    calls: list[Call]
    key: Key | None
    context: Context = field(default_factory=copy_context)

    @property
    def tenant_id(self) -> UUID:
        """The tenant that the request entered."""
        return self.batch.origin.claim.tenant_id

    @property
    def goes_together(self) -> bool:
        """Whether it may share a transaction with others."""
        if self.key is not None or len(self.calls) != 1:
            return False
        # A condition looks at what nobody may have changed in this transaction.
        (call,) = self.calls
        return call.command.together is not None and call.condition is None


async def run_batch(services: Services, batch: Batch) -> list[Done]:
    """Run all calls of a batch in one transaction, or none.

    A deadlock or serialization failure runs them again, whole. Raises the AppError that one of them refused with
    (`batch.at` says which), or RunsAlone; with a key also IdempotencyNotOffered, IdempotencyInProgress,
    IdempotencyMismatch.
    """
    batch.refuse_loners()
    if not batch.calls[0].command.is_kept:
        return [await _tell(services, batch)]
    key = None if batch.key is None else Key.of(batch.key, batch, services.settings.security.jwt_secret)
    run = _Run(services, batch, [], key)
    try:
        await _prepare(run)
    except AppError as error:
        return await _instead(run, error)
    return await (_carry_out(run) if services.replicas is None else _noted(run, services.replicas))


async def _noted(run: _Run, replicas: Replicas) -> list[Done]:
    """Run a batch, and have those who wrote in it see that, also where they are refused or its end is not known."""
    writers = {run.batch.origin.claim.user_id}
    try:
        done = await _carry_out(run)
        writers |= {each.viewer for each in done}
        return done
    finally:
        await replicas.wrote(*writers)


async def _carry_out(run: _Run) -> list[Done]:
    services = run.services
    if run.goes_together:
        return await services.crowds.join((run.tenant_id, run.calls[0].command.name), run, _go)
    lines = {(str(run.tenant_id), str(call.arguments[call.command.line])) for call in run.calls if call.command.line}
    if not lines:
        return await _attempts(run)
    async with AsyncExitStack() as stack:
        # In one order, so that no two batches stand in each other's way.
        for line in sorted(lines):
            await stack.enter_async_context(services.lines.stand_in(line))
        return await _attempts(run)


async def _tell(services: Services, batch: Batch) -> Done:
    """Run what keeps nothing. A key is not looked at: a repeat changes nothing."""
    (call,) = batch.calls
    await call.command.function(services, batch.origin, **call.arguments)
    return Done(None, batch.origin.claim.user_id)


async def _prepare(run: _Run) -> None:
    for at, call in enumerate(run.batch.calls):
        run.batch.at = at
        prepare, arguments = call.command.prepare, call.arguments
        if prepare is not None:
            prepared = await prepare(run.services, run.batch.origin.claim, **arguments)
            arguments = {**arguments, "prepared": prepared}
        run.calls.append(replace(call, arguments=arguments))


async def _instead(run: _Run, error: AppError) -> list[Done]:
    """What to answer when preparing failed: raises the error unless a repeat failed where the first request did not.

    Its link may be used up by now, its old password the old one. And who may not come in at all is told that, and not
    what is wrong with the rest.
    """
    caller = await _look_up(run)
    async with run.services.database.transaction(run.tenant_id) as tx:
        found = await _replay(run, tx, caller)
    if found is None:
        raise error
    return found


async def _replay(run: _Run, tx: Transaction, caller: Caller | None) -> list[Done] | None:
    """What an earlier request with the key was answered, for a caller who may still ask; None where there was none."""
    for call in run.batch.calls:
        _admit(run, caller, call.command)
    if run.key is None or (outcome := await find(tx, run.key, run.tenant_id)) is None:
        return None
    results = outcome.read([call.command for call in run.batch.calls])
    return [Done(result, run.batch.origin.claim.user_id, replayed=True) for result in results]


async def _look_up(run: _Run, tx: Transaction | None = None) -> Caller | None:
    """The caller as they are now. tx: to be asked in it, where it may have changed that; else along with other reads.

    Of what is for whoever comes nothing is asked, so nothing is looked up: people sign in and stay signed in whatever
    has become of the community that they come in by.
    """
    if all(call.command.allow is whoever for call in run.batch.calls):
        return PASSER_BY
    gate = run.services.gate
    asks_proof = any(call.command.step_up for call in run.batch.calls)
    question = gate.question_with_proof if asks_proof else gate.question
    arguments = question.arguments(run.batch.origin.values())
    if tx is None:
        row = await run.services.database.row(question.text, arguments)
    else:
        row = await tx.connection.fetchrow(question.text, *arguments)
    return None if row is None else read_caller(row[1])


def _admit(run: _Run, caller: Caller | None, command: Command) -> Caller:
    """The caller, let in; or a refusal as of `Gate.admit`."""
    return command.admit(run.services.gate, run.batch.origin.claim, caller)


async def _attempts(run: _Run) -> list[Done]:
    attempt = 1
    while True:
        try:
            return await _attempt(run)
        except RETRIABLE:
            if attempt == _ATTEMPTS:
                raise
            log.info("command.retried", command=run.calls[run.batch.at].command.name, attempt=attempt)
            attempt += 1
        except AppError as error:
            if error.audited and not error.commits:
                await _audit_refusal(run, error)
            raise


async def _attempt(run: _Run) -> list[Done]:
    done: list[Done] = []
    recorded, refusal = False, None
    caller = await _look_up(run)
    async with run.services.database.transaction(run.tenant_id) as tx:
        if run.key is not None and not await claim(tx, run.key, run.batch.origin):
            found = await _replay(run, tx, caller)
            if found is None:
                raise IdempotencyInProgress
            return found
        if len(run.calls) > 1:
            await line_up(tx, run.calls)
        for at, call in enumerate(run.calls):
            run.batch.at = at
            with step(f"command {call.command.name}"):
                admitted = _admit(run, await _look_up(run, tx) if at else caller, call.command)
                ctx = _context(run, tx, run.services.gate.held(run.batch.origin.claim, admitted))
                result, refusal = await _call(run, ctx, call)
                done.append(Done(result, ctx.actor.user_id))
                await _write(run, ctx, done, refusal)
            recorded = recorded or bool(ctx.facts)
    if recorded:
        run.services.wake()
    if refusal is not None:
        raise refusal
    return done


async def _go(runs: Sequence[_Run]) -> list[list[Done] | Exception]:
    """What becomes of requests that may share a transaction: the answer or the error of each."""
    if len(runs) > 1:
        try:
            with shared(f"commands {runs[0].calls[0].command.name}", [run.context for run in runs]):
                return await _in_one_transaction(runs)
        except _NobodyWent as reason:
            command, cause = runs[0].calls[0].command, reason.__cause__
            log.info("crowd.scattered", command=command.name, size=len(runs), error=repr(cause))
    alone = (asyncio.create_task(_attempts(run), context=run.context) for run in runs)
    found = await asyncio.gather(*alone, return_exceptions=True)
    return [_no_interrupt(each) for each in found]


def _no_interrupt(outcome: list[Done] | BaseException) -> list[Done] | Exception:
    if isinstance(outcome, BaseException) and not isinstance(outcome, Exception):
        raise outcome
    return outcome


class _NobodyWent(Exception):
    """A shared transaction came to nothing; each request goes alone, and meets its own error."""


@dataclass(frozen=True)
class _Left:
    """What one request of a shared transaction leaves. page: of the journal; None where nothing is written."""

    outcome: list[Done] | AppError
    page: Page | None


async def _in_one_transaction(runs: Sequence[_Run]) -> list[list[Done] | Exception]:
    """Run requests of one tenant for one command. Raises _NobodyWent when one of them spoils it for the others."""
    services, tenant_id = runs[0].services, runs[0].tenant_id
    is_shared = False
    try:
        callers = await asyncio.gather(*(_look_up(run) for run in runs))
        async with services.database.transaction(tenant_id) as tx:
            is_shared = True
            left = await _decide(tx, runs, callers)
            pages = [each.page for each in left if each.page is not None]
            if pages:
                await write_pages(tx, tenant_id, pages)
            is_shared = False
    except Exception as error:
        if is_shared:
            raise _NobodyWent from error
        # There was no transaction to be had, and each would wait in vain once more; or it was the commit that failed:
        # nobody knows what became of it, so nobody may go again.
        return [error for _ in runs]
    if any(page.ctx.facts for page in pages):
        services.wake()
    return [each.outcome for each in left]


async def _decide(tx: Transaction, runs: Sequence[_Run], callers: Sequence[Caller | None]) -> list[_Left]:
    """Let one after the other do what it does. What one decides in memory is there for the next."""
    command = runs[0].calls[0].command
    assert command.together is not None
    entered = [_enter(run, tx, caller) for run, caller in zip(runs, callers, strict=True)]
    going = [(each, run.calls[0].arguments) for each, run in zip(entered, runs, strict=True) if isinstance(each, Ctx)]
    shared = await command.together(tx, going) if going else None
    return [
        await _do(run, each, shared) if isinstance(each, Ctx) else _refused(run, _context(run, tx, frozenset()), each)
        for each, run in zip(entered, runs, strict=True)
    ]


def _enter(run: _Run, tx: Transaction, caller: Caller | None) -> Ctx | AppError:
    try:
        admitted = _admit(run, caller, run.calls[0].command)
    except AppError as error:
        return error
    return _context(run, tx, run.services.gate.held(run.batch.origin.claim, admitted))


async def _do(run: _Run, ctx: Ctx, shared: object) -> _Left:
    call = run.calls[0]
    # A refusal undoes nothing that is written already, so nothing is before all have decided.
    ctx.db = OUT_OF_REACH
    try:
        result = await call.command.function(ctx, **call.arguments, shared=shared)
    except AppError as error:
        if error.commits or ctx.has_happened:
            raise _NobodyWent from error
        return _refused(run, ctx, error)
    page = Page(ctx, _entry(call.command, run.batch.origin, None, result), run.context.run(carried))
    return _Left([Done(result, ctx.actor.user_id)], page)


def _refused(run: _Run, ctx: Ctx, error: AppError) -> _Left:
    entry = _entry(run.calls[0].command, run.batch.origin, error, None)
    return _Left(error, Page(ctx, entry, None) if error.audited else None)


async def _call(run: _Run, ctx: Ctx, call: Call) -> tuple[Any, AppError | None]:
    """What a command returned, or the refusal that keeps what it wrote.

    A condition is looked at before, when nothing has changed yet, and told after: who may not do this, or not so, is
    told that first (RFC 9110, 13.2.1).
    """
    unmet = None if call.condition is None else await call.condition.unmet(ctx.db)
    try:
        result = await call.command.function(ctx, **call.arguments)
    except AppError as error:
        if not error.commits or len(run.calls) > 1:
            raise
        return None, error
    if unmet is not None:
        raise unmet
    return result, None


async def _write(run: _Run, ctx: Ctx, done: list[Done], refusal: AppError | None) -> None:
    """The journal of the call that ran last; with that of the last one of all, what became of the request."""
    at, is_last = run.batch.at, len(done) == len(run.calls)
    entry = _entry(run.calls[at].command, run.batch.origin, refusal, done[-1].result)
    settled = None
    if run.key is not None and is_last:
        settled = (run.key.id, Outcome.of([each.result for each in done], refusal).written())
    if ctx.tenant_id == run.tenant_id:
        await write_journal(ctx, entry, settled)
        return
    # It has entered a tenant that it made. The request, and what else it asks for, belongs where it came in.
    await write_journal(ctx, entry)
    if settled is not None or not is_last:
        await ctx.db.enter(run.tenant_id)
    if settled is not None:
        await settle(ctx.db, run.tenant_id, *settled)


async def _audit_refusal(run: _Run, error: AppError) -> None:
    """Leave a row in a short transaction of its own, since the command's was rolled back."""
    async with run.services.database.transaction(run.tenant_id) as tx:
        ctx = _context(run, tx, frozenset())
        await write_journal(ctx, _entry(run.calls[run.batch.at].command, run.batch.origin, error, None))


def _context(run: _Run, tx: Transaction, permissions: frozenset[Permission]) -> Ctx:
    origin = run.batch.origin
    return Ctx(
        db=tx,
        tenant_id=origin.claim.tenant_id,
        actor=origin.actor,
        now=origin.now,
        request_id=origin.request_id,
        settings=run.services.settings,
        session_id=origin.claim.session_id,
        permissions=permissions,
        address=origin.address,
        agent=origin.agent,
        gives=run.services.gate.gives,
    )


def _entry(command: Command, origin: Origin, refusal: AppError | None, result: Any) -> Entry:
    subject = result if isinstance(result, View) else None
    return Entry(
        verb=command.name,
        outcome="done" if refusal is None else refusal.code,
        object_kind=None if subject is None else subject.type_name(),
        object_id=None if subject is None else subject.row_id,
        address=origin.address,
        agent=origin.agent,
        chain=AuditChain.MONEY if command.money else AuditChain.USUAL,
    )
