"""What is due: sealing rows within seconds, a checkpoint each day, and forgetting what is kept long enough."""

import structlog

from muster.audit import queries
from muster.audit.keeping import kept_for
from muster.audit.queries import Checkpoint, Seal
from muster.audit.rules import BEGINNING, CHECKPOINT, SEAL, Entry, Link, Sealable, key_from, size_of, unpacked
from muster.kit.commands.context import Ctx
from muster.kit.commands.tables import AuditChain

log = structlog.get_logger()

SEAL_SECONDS = 5
"""How often rows are sealed: half of what the specification allows."""
_ROWS_A_SEAL = 1000
_SEALS_AT_ONCE = 50


async def seal(ctx: Ctx) -> None:
    """Chain what waits in one tenant; belongs in the schedule.

    Rows come in the order in which they are seen here, which is the only one: a command that commits late waits in
    `audit_unsealed` until then, and is sealed then. The lock makes it true that a chain has one end.
    """
    if not await queries.lock_chains(ctx):
        return
    for _ in range(_SEALS_AT_ONCE):
        rows = await queries.waiting_rows(ctx, _ROWS_A_SEAL)
        for chain in AuditChain:
            await _seal_in(ctx, chain, [row for row in rows if row.chain == chain])
        await queries.no_longer_waiting(ctx, [row.id for row in rows])
        if len(rows) < _ROWS_A_SEAL:
            return


async def _seal_in(ctx: Ctx, chain: AuditChain, rows: list[Sealable]) -> None:
    if not rows:
        return
    number, before, previous = await _end_of(ctx, chain)
    key_id, key = key_from(ctx.settings.security.jwt_secret)
    entries = b"".join(Entry.of(row).packed for row in rows)
    link = Link(ctx.tenant_id, chain, number + 1, before, ctx.now)
    mac = link.mac(key, SEAL, previous, entries)
    made = Seal(number=link.number, before=before, entries=entries, mac=mac, key_id=key_id, at=ctx.now)
    await queries.put_seal(ctx, chain, made)


async def _end_of(ctx: Ctx, chain: AuditChain) -> tuple[int, int, bytes]:
    """Where a chain ends: the number of its last seal, how many rows it has, and that seal's MAC."""
    seal = await queries.last_seal(ctx.db, ctx.tenant_id, chain)
    if seal is not None:
        return seal.number, seal.before + size_of(seal.entries), seal.mac
    checkpoint = await queries.last_checkpoint(ctx.db, ctx.tenant_id, chain)
    return (0, 0, BEGINNING) if checkpoint is None else (checkpoint.number, checkpoint.rows, checkpoint.seal_mac)


async def mark(ctx: Ctx) -> None:
    """Put a checkpoint at the end of each chain that has grown since the last; belongs in the schedule, daily.

    It is logged too: what an operator keeps of the log elsewhere, nobody who has the database can take back.
    """
    if not await queries.lock_chains(ctx):
        return
    key_id, key = key_from(ctx.settings.security.jwt_secret)
    for chain in AuditChain:
        number, rows, seal_mac = await _end_of(ctx, chain)
        last = await queries.last_checkpoint(ctx.db, ctx.tenant_id, chain)
        if number == (0 if last is None else last.number):
            continue
        link = Link(ctx.tenant_id, chain, number, rows, ctx.now)
        mac = link.mac(key, CHECKPOINT, BEGINNING if last is None else last.mac, seal_mac)
        made = Checkpoint(number=number, rows=rows, seal_mac=seal_mac, mac=mac, key_id=key_id, at=ctx.now)
        await queries.put_checkpoint(ctx, chain, made)
        log.info("audit.checkpoint", tenant_id=str(ctx.tenant_id), chain=chain, number=number, mac=mac.hex())


async def forget(ctx: Ctx) -> None:
    """Remove rows that were kept long enough, and their seals; belongs in the schedule.

    All up to a checkpoint go, oldest first, so that what is left goes on from one.
    """
    if not await queries.lock_chains(ctx):
        return
    for chain in AuditChain:
        kept = await kept_for(ctx.db, ctx.tenant_id, chain, ctx.settings)
        checkpoint = await queries.old_checkpoint(ctx, chain, ctx.now - kept)
        if checkpoint is None:
            continue
        for seal in await queries.seals_after(ctx.db, ctx.tenant_id, chain, 0, _SEALS_AT_ONCE):
            if seal.number <= checkpoint.number:
                await queries.forget_rows(ctx, [entry.id for entry in unpacked(seal.entries)])
                await queries.forget_seal(ctx, chain, seal.number)
