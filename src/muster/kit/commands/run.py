"""Running a command: prepare, one transaction, the journal, and what is left when it fails."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from muster.kit.caller import Actor, Caller, Origin, Permission, read_caller
from muster.kit.commands.batch import Batch, Call
from muster.kit.commands.command import Command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.idempotency import IdempotencyInProgress, Key, Outcome, claim, find, settle
from muster.kit.commands.journal import Entry, write_journal
from muster.kit.db.database import Transaction
from muster.kit.db.failures import RETRIABLE
from muster.kit.errors import AppError
from muster.kit.tracing.switch import step
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
    """A batch that runs. calls: with what was prepared for each."""

    services: Services
    batch: Batch
    calls: list[Call]
    key: Key | None

    @property
    def tenant_id(self) -> UUID:
        """The tenant that the request entered."""
        return self.batch.origin.claim.tenant_id


async def run_batch(services: Services, batch: Batch) -> list[Done]:
    """Run all calls of a batch in one transaction, or none.

    A deadlock or serialization failure runs them again, whole. Raises the AppError that one of them refused with
    (`batch.at` says which), or RunsAlone; with a key also IdempotencyNotOffered, IdempotencyInProgress,
    IdempotencyMismatch.
    """
    batch.refuse_loners()
    key = None if batch.key is None else Key.of(batch.key, batch, services.settings.security.jwt_secret)
    run = _Run(services, batch, [], key)
    try:
        await _prepare(run)
    except AppError as error:
        return await _instead(run, error)
    lines = {(str(run.tenant_id), str(call.arguments[call.command.line])) for call in run.calls if call.command.line}
    if not lines:
        return await _attempts(run)
    async with AsyncExitStack() as stack:
        # In one order, so that no two batches stand in each other's way.
        for line in sorted(lines):
            await stack.enter_async_context(services.lines.stand_in(line))
        return await _attempts(run)


async def _prepare(run: _Run) -> None:
    for at, call in enumerate(run.batch.calls):
        run.batch.at = at
        prepare, arguments = call.command.prepare, call.arguments
        if prepare is not None:
            prepared = await prepare(run.services, run.batch.origin.claim, **arguments)
            arguments = {**arguments, "prepared": prepared}
        run.calls.append(Call(call.command, arguments))


async def _instead(run: _Run, error: AppError) -> list[Done]:
    """What to answer when preparing failed: raises the error unless a repeat failed where the first request did not.

    Its link may be used up by now, its old password the old one. And who may not come in at all is told that, and not
    what is wrong with the rest.
    """
    async with run.services.database.transaction(run.tenant_id) as tx:
        found = await _replay(run, tx)
    if found is None:
        raise error
    return found


async def _replay(run: _Run, tx: Transaction) -> list[Done] | None:
    """What an earlier request with the key was answered, for a caller who may still ask; None where there was none."""
    caller = await _look_up(run, tx)
    for call in run.batch.calls:
        _admit(run, caller, call.command)
    if run.key is None or (outcome := await find(tx, run.key, run.tenant_id)) is None:
        return None
    results = outcome.read([call.command for call in run.batch.calls])
    return [Done(result, run.batch.origin.claim.user_id, replayed=True) for result in results]


async def _look_up(run: _Run, tx: Transaction) -> Caller | None:
    question = run.services.gate.question
    answer = await tx.connection.fetchval(question.text, *question.arguments(run.batch.origin.values()))
    return read_caller(answer)


def _admit(run: _Run, caller: Caller | None, command: Command) -> Caller:
    """The caller, let in; or a refusal as of `Gate.admit`."""
    return run.services.gate.admit(run.batch.origin.claim, caller, command.allow, command.permission)


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
    async with run.services.database.transaction(run.tenant_id) as tx:
        if run.key is not None and not await claim(tx, run.key, run.batch.origin):
            found = await _replay(run, tx)
            if found is None:
                raise IdempotencyInProgress
            return found
        for at, call in enumerate(run.calls):
            run.batch.at = at
            with step(f"command {call.command.name}"):
                caller = _admit(run, await _look_up(run, tx), call.command)
                ctx = _context(run, tx, run.services.gate.permissions(caller.role))
                result, refusal = await _call(run, ctx, call)
                done.append(Done(result, ctx.actor.user_id))
                await _write(run, ctx, done, refusal)
            recorded = recorded or bool(ctx.facts)
    if recorded:
        run.services.wake()
    if refusal is not None:
        raise refusal
    return done


async def _call(run: _Run, ctx: Ctx, call: Call) -> tuple[Any, AppError | None]:
    """What a command returned, or the refusal that keeps what it wrote."""
    try:
        return await call.command.function(ctx, **call.arguments), None
    except AppError as error:
        if not error.commits or len(run.calls) > 1:
            raise
        return None, error


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
        actor=_actor(origin),
        now=origin.now,
        request_id=origin.request_id,
        settings=run.services.settings,
        session_id=origin.claim.session_id,
        permissions=permissions,
        address=origin.address,
        agent=origin.agent,
    )


def _actor(origin: Origin) -> Actor:
    user_id = origin.claim.user_id
    return Actor("anonymous") if user_id is None else Actor("person", user_id=user_id)


def _entry(command: Command, origin: Origin, refusal: AppError | None, result: Any) -> Entry:
    subject = result if isinstance(result, View) else None
    return Entry(
        verb=command.name,
        outcome="done" if refusal is None else refusal.code,
        object_kind=None if subject is None else subject.type_name(),
        object_id=None if subject is None else subject.row_id,
        address=origin.address,
        agent=origin.agent,
    )
