"""What follows in events when somebody is a member of the community no more."""

from uuid import UUID

from muster.events.commands.withdraw import withdraw
from muster.kit.work.errands import Errand
from muster.tenancy import queries as tenancy
from muster.tenancy.facts import MemberFact
from muster.tenancy.tables import MemberStatus

_GONE = (MemberStatus.LEFT, MemberStatus.REMOVED)


async def free_places(errand: Errand, fact: MemberFact) -> None:
    """Give the places of who has gone to who waits, and call off what they organise; of who is back, nothing."""
    last: UUID | None = None
    while True:
        async with errand.transaction() as ctx:
            is_gone = await tenancy.find_status(ctx, fact.user_id) in _GONE
            last = await withdraw(ctx, fact.user_id, last) if is_gone else None
        if last is None:
            return
