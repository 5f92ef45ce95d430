"""Retention: idempotency keys are forgotten when no client repeats its request any more."""

from datetime import timedelta

from sqlalchemy import bindparam, delete, select

from muster.kit.commands.context import Ctx
from muster.kit.commands.tables import IdempotencyKey
from muster.kit.db.statements import Nothing, Statement
from muster.kit.work.schedule import TenantId

KEPT = timedelta(hours=24)
"""For how long a repeat is known, at least."""

_OLD = IdempotencyKey.at <= bindparam("now", type_=IdempotencyKey.at.type) - KEPT
_FORGET = Statement(Nothing, delete(IdempotencyKey).where(_OLD))
TENANTS_WITH_OLD_KEYS = Statement(TenantId, select(IdempotencyKey.tenant_id).where(_OLD).distinct())


async def forget_keys(ctx: Ctx) -> None:
    """Remove the old keys of one tenant; belongs in the schedule."""
    await ctx.db.run(_FORGET, now=ctx.now)
