"""How anybody becomes a member: by whichever door, through here."""

from uuid import UUID

from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied
from muster.tenancy import queries, rules
from muster.tenancy.facts import MemberJoined
from muster.tenancy.rules import Admission, Way


class SeatsTaken(Conflict):
    """This community has as many members as it may have; ask its owner to make room."""

    code = "SEATS_TAKEN"


class MemberIsSuspended(Denied):
    """Your membership of this community is suspended; only those who run it can lift that."""

    code = "MEMBER_SUSPENDED"


class WasRemoved(Denied):
    """You were removed from this community; only those who run it can bring you back."""

    code = "WAS_REMOVED"


_REFUSALS = {Admission.SUSPENDED: MemberIsSuspended, Admission.REMOVED: WasRemoved}


async def admit(ctx: Ctx, *, user_id: UUID, role: str, way: Way) -> bool:
    """Make a person a member of the transaction's tenant; False when they are one, whose role then stays.

    Raises SeatsTaken, MemberIsSuspended, WasRemoved.
    """
    seats = await queries.lock_seats(ctx)
    standing = await queries.lock_member(ctx, user_id)
    admission = rules.decide_admission(None if standing is None else standing.status, way)
    if admission is Admission.UNCHANGED:
        return False
    if admission in _REFUSALS:
        raise _REFUSALS[admission]
    if not rules.has_room(seats.taken, seats.most):
        raise SeatsTaken
    member_id = await queries.seat_member(ctx, user_id=user_id, role=role)
    ctx.record(MemberJoined(user_id=user_id, member_id=member_id, way=way))
    return True
