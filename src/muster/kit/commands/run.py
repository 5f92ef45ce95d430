"""Running a command: prepare, one transaction, the journal, and what is left when it fails."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from muster.kit.caller import Actor, Caller, Origin, Permission, read_caller
from muster.kit.commands.command import Command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.journal import Entry, write_journal
from muster.kit.db.database import Transaction
from muster.kit.db.failures import RETRIABLE
from muster.kit.errors import AppError
from muster.kit.views.view import View

log = structlog.get_logger()

_ATTEMPTS = 3


@dataclass(frozen=True)
class Done:
    """A command that committed: what it returned, and for whom the result is read back."""

    result: Any
    viewer: UUID | None


async def run_command(services: Services, command: Command, origin: Origin, arguments: dict[str, Any]) -> Done:
    """Run a declared command with arguments as `Arguments.read` gave them.

    A deadlock or serialization failure runs it again, whole. Raises the AppError it refused with.
    """
    if command.prepare is not None:
        arguments = {**arguments, "prepared": await _prepare(services, command, origin, arguments)}
    if command.line is None:
        return await _attempts(services, command, origin, arguments)
    async with services.lines.stand_in((origin.claim.tenant_id, arguments[command.line])):
        return await _attempts(services, command, origin, arguments)


async def _prepare(services: Services, command: Command, origin: Origin, arguments: dict[str, Any]) -> Any:
    assert command.prepare is not None
    try:
        return await command.prepare(services, origin.claim, **arguments)
    except AppError:
        # Who may not come in at all is told that, and not what is wrong with the rest.
        async with services.database.transaction(origin.claim.tenant_id) as tx:
            await _admit(services, command, origin, tx)
        raise


async def _admit(services: Services, command: Command, origin: Origin, tx: Transaction) -> Caller:
    """The caller, looked up in the transaction and let in; or a refusal as of `Gate.admit`."""
    question = services.gate.question
    answer = await tx.connection.fetchval(question.text, *question.arguments(origin.values()))
    return services.gate.admit(origin.claim, read_caller(answer), command.allow, command.permission)


async def _attempts(services: Services, command: Command, origin: Origin, arguments: dict[str, Any]) -> Done:
    attempt = 1
    while True:
        try:
            return await _attempt(services, command, origin, arguments)
        except RETRIABLE:
            if attempt == _ATTEMPTS:
                raise
            log.info("command.retried", command=command.name, attempt=attempt)
            attempt += 1
        except AppError as error:
            if error.audited and not error.commits:
                await _audit_refusal(services, command, origin, error)
            raise


async def _attempt(services: Services, command: Command, origin: Origin, arguments: dict[str, Any]) -> Done:
    refusal: AppError | None = None
    result: Any = None
    async with services.database.transaction(origin.claim.tenant_id) as tx:
        caller = await _admit(services, command, origin, tx)
        ctx = _context(services, tx, origin, services.gate.permissions(caller.role))
        try:
            result = await command.function(ctx, **arguments)
        except AppError as error:
            if not error.commits:
                raise
            refusal = error
        await write_journal(ctx, _entry(command, origin, refusal, result))
    if ctx.facts:
        services.wake()
    if refusal is not None:
        raise refusal
    return Done(result, ctx.actor.user_id)


async def _audit_refusal(services: Services, command: Command, origin: Origin, error: AppError) -> None:
    """Leave a row in a short transaction of its own, since the command's was rolled back."""
    async with services.database.transaction(origin.claim.tenant_id) as tx:
        ctx = _context(services, tx, origin, frozenset())
        await write_journal(ctx, _entry(command, origin, error, None))


def _context(services: Services, tx: Transaction, origin: Origin, permissions: frozenset[Permission]) -> Ctx:
    return Ctx(
        db=tx,
        tenant_id=origin.claim.tenant_id,
        actor=_actor(origin),
        now=origin.now,
        request_id=origin.request_id,
        settings=services.settings,
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
