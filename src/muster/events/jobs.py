"""What follows in events when somebody is a member of the community no more."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from muster.events.commands.withdraw import withdraw
from muster.kit.commands.context import Ctx
from muster.kit.work.errands import Errand
from muster.tenancy import queries as tenancy
from muster.tenancy.facts import MemberFact
from muster.tenancy.tables import MemberStatus

_GONE = (MemberStatus.LEFT, MemberStatus.REMOVED)


async def free_places(errand: Errand, fact: MemberFact) -> None:
    """Give the places of who has gone to who waits, and call off what they organise; of who is back, nothing."""

    async def is_gone(ctx: Ctx) -> bool:
        return await tenancy.find_status(ctx, fact.user_id) in _GONE

    await withdraw_from(errand, None, fact.user_id, is_gone)


async def withdraw_from(
    errand: Errand, tenant_id: UUID | None, user_id: UUID, is_gone: Callable[[Ctx], Awaitable[bool]]
) -> None:
    """Take a person out of their events in a community, some in each transaction.

    tenant_id: of the community; None is that of the errand. is_gone: asked in each transaction; they keep the rest once
    it says no.
    """
    last: UUID | None = None
    while True:
        async with errand.transaction(tenant_id) as ctx:
            last = await withdraw(ctx, user_id, last) if await is_gone(ctx) else None
        if last is None:
            return
