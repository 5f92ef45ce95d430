"""SQL of devices that want to be signed in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.devices.rules import LASTS, PAUSE
from muster.identity.devices.tables import DeviceRequest, DeviceState
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id


class RequestId(Row):
    """The id of a request."""

    id: UUID


class Asking(Row):
    """A device that asks."""

    user_id: UUID | None
    state: DeviceState
    polled_at: datetime | None
    pause: int
    expires_at: datetime


class Waiting(Row):
    """A device that waits for a person."""

    name: str
    address: str | None
    created_at: datetime


_REQUEST = bindparam("request", type_=DeviceRequest.id.type)
_SEAL = bindparam("seal", type_=DeviceRequest.code_seal.type)
_MOMENT = bindparam("moment", type_=DeviceRequest.expires_at.type)
_PUT = Statement(
    RequestId,
    insert(DeviceRequest).on_conflict_do_nothing(index_elements=["code_seal"]).returning(DeviceRequest.id),
    insert_keys=("id", "code_seal", "name", "address", "created_at", "expires_at", "pause", "state"),
)
# Of two questions of one device at once, the second sees what the first has left: one session comes of it.
_LOCK = Statement(Asking, select(*columns(Asking, DeviceRequest)).where(DeviceRequest.id == _REQUEST).with_for_update())
_POLLED = Statement(
    Nothing,
    update(DeviceRequest)
    .where(DeviceRequest.id == _REQUEST)
    .values(polled_at=_MOMENT, pause=bindparam("seconds"), state=bindparam("became", type_=DeviceRequest.state.type)),
)
_IS_WAITING = (
    DeviceRequest.code_seal == _SEAL,
    DeviceRequest.state == DeviceState.WAITING,
    DeviceRequest.expires_at > _MOMENT,
)
_WAITING = Statement(Waiting, select(*columns(Waiting, DeviceRequest)).where(*_IS_WAITING))
# Of two who decide at once, the first changes the state, and the second finds nothing that waits.
_DECIDE = Statement(
    Nothing,
    update(DeviceRequest)
    .where(*_IS_WAITING)
    .values(
        state=bindparam("became", type_=DeviceRequest.state.type),
        user_id=bindparam("person", type_=DeviceRequest.user_id.type),
    ),
)
_FORGET = Statement(Nothing, delete(DeviceRequest).where(DeviceRequest.expires_at < _MOMENT))


async def put_request(ctx: Ctx, *, name: str, seal: str) -> UUID | None:
    """Have a device wait; None when its code is another's just now."""
    made = await ctx.db.one(
        _PUT,
        id=new_id(),
        code_seal=seal,
        name=name,
        address=ctx.address,
        created_at=ctx.now,
        expires_at=ctx.now + LASTS,
        pause=PAUSE,
        state=DeviceState.WAITING,
    )
    return None if made is None else made.id


async def lock_request(ctx: Ctx, request_id: UUID) -> Asking | None:
    """Lock a device's request against its other questions; None when there is none."""
    return await ctx.db.one(_LOCK, request=request_id)


async def put_polled(ctx: Ctx, request_id: UUID, *, pause: int, state: DeviceState) -> None:
    """Note that a device has asked. pause: the seconds it has to let pass now."""
    await ctx.db.run(_POLLED, request=request_id, moment=ctx.now, seconds=pause, became=state)


async def waiting(ctx: Ctx, seal: str) -> Waiting | None:
    """The device that waits with a code."""
    return await ctx.db.one(_WAITING, seal=seal, moment=ctx.now)


async def decide(ctx: Ctx, seal: str, *, user_id: UUID, approve: bool) -> bool:
    """Let a device in, or not; False when none waits with this code."""
    state = DeviceState.APPROVED if approve else DeviceState.DENIED
    return await ctx.db.run(_DECIDE, seal=seal, moment=ctx.now, became=state, person=user_id) > 0


async def forget_requests(ctx: Ctx, expired_before: datetime) -> int:
    """Remove requests that expired long ago; answers with how many."""
    return await ctx.db.run(_FORGET, moment=expired_before)
