"""The verbs of signing in a device: it asks, its person decides, and it gets its session."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from muster.identity.commands import Session, open_session
from muster.identity.devices import queries
from muster.identity.devices.rules import LASTS, PAUSE, Poll, decide_poll, new_code, plain_code
from muster.identity.devices.tables import DeviceState
from muster.identity.facts import DeviceDecided
from muster.identity.seals import LONGEST_TOKEN, derived, read_sealed_text, sealed_text
from muster.kit.caller import verified, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, Gone, NotFound, TooMany, Unavailable
from muster.kit.limits import API, AUTH
from muster.kit.text import as_id
from muster.kit.views.results import Payload

DeviceName = Annotated[
    str, Meta(min_length=1, max_length=80, pattern=r"\S", examples=["muster on Ada's laptop"], description="Of itself.")
]
DeviceCode = Annotated[str, Meta(max_length=LONGEST_TOKEN, examples=["0193b1f0.kq3v"], description="As it was given.")]
UserCode = Annotated[
    str, Meta(min_length=1, max_length=40, examples=["BCDF-GHJK"], description="As the device shows it.")
]
_PURPOSE = "device"
# Ten million devices at once would meet another's code once in three thousand times.
_TRIES = 3


class DeviceWaits(Conflict):
    """Nobody has decided yet; ask again after the interval."""

    code, title = "AUTHORIZATION_PENDING", "Nobody has decided yet"
    commits = True


class DeviceTooFast(TooMany):
    """You ask too often: let five seconds more pass between two questions from now on."""

    code, title = "SLOW_DOWN", "You ask too often"
    commits = True


class DeviceDenied(Denied):
    """The person did not let this device in."""

    code = "DEVICE_DENIED"


class DeviceExpired(Gone):
    """This code is used, has expired, or is not whole; begin anew."""

    code = "DEVICE_CODE_EXPIRED"


class DeviceNotFound(NotFound):
    """No device waits with this code; look at it once more, or begin anew there."""

    code = "DEVICE_NOT_FOUND"


class DeviceAsks(Payload):
    """What a device goes on with.

    device_code: for the device alone, to ask with. user_code: to show to its person.
    verification_uri: the page where the person types that code.
    verification_uri_complete: the same page with the code filled in, to open or to show as a QR code.
    expires_at: when both codes end, ten minutes after they were given. interval: seconds between two questions.
    """

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_at: datetime
    interval: int


class AskingDevice(Payload):
    """A device that waits to be let in.

    name: what it calls itself, which anybody may have made up. address: where it asked from; empty where that is not
    known. created_at: when it began to ask.
    """

    name: str
    address: str
    created_at: datetime


@command("POST /auth/device", "beginDeviceSignIn", allow=whoever, limit=AUTH)
async def begin_device_sign_in(ctx: Ctx, *, name: DeviceName) -> DeviceAsks:
    """Sign in a device without a browser: show its person the code, and ask with `pollDeviceSignIn` until they decide."""
    for _ in range(_TRIES):
        code = new_code()
        request_id = await queries.put_request(ctx, name=name.strip(), seal=_seal(ctx, code))
        if request_id is not None:
            address = f"{ctx.settings.addresses.app}/device"
            return DeviceAsks(
                device_code=sealed_text(ctx.settings.security.jwt_secret, _PURPOSE, request_id.hex),
                user_code=code,
                verification_uri=address,
                verification_uri_complete=f"{address}?code={code}",
                expires_at=ctx.now + LASTS,
                interval=PAUSE,
            )
    raise Unavailable


@command("POST /auth/device/session", "pollDeviceSignIn", allow=whoever, limit=API)
async def poll_device_sign_in(ctx: Ctx, *, device_code: DeviceCode) -> Session:
    """Ask whether the device has been let in; then it is signed in.

    Raises DeviceWaits, DeviceTooFast, DeviceDenied, DeviceExpired; WrongCredentials where the account was disabled.
    """
    request_id = as_id(read_sealed_text(ctx.settings.security.secrets, _PURPOSE, device_code) or "")
    asking = None if request_id is None else await queries.lock_request(ctx, request_id)
    if request_id is None or asking is None:
        raise DeviceExpired
    told = decide_poll(
        asking.state, polled_at=asking.polled_at, pause=asking.pause, expires_at=asking.expires_at, now=ctx.now
    )
    if told is Poll.SIGN_IN and asking.user_id is not None:
        await queries.put_polled(ctx, request_id, pause=asking.pause, state=DeviceState.USED)
        return await open_session(ctx, asking.user_id)
    if told is Poll.DENIED:
        raise DeviceDenied
    if told is Poll.EXPIRED:
        raise DeviceExpired
    pause = asking.pause + (PAUSE if told is Poll.SLOW_DOWN else 0)
    await queries.put_polled(ctx, request_id, pause=pause, state=asking.state)
    raise (DeviceTooFast if told is Poll.SLOW_DOWN else DeviceWaits)(details={"interval": pause})


@command("POST /auth/device/look-up", "lookUpDevice", allow=verified, limit=AUTH)
async def look_up_device(ctx: Ctx, *, user_code: UserCode) -> AskingDevice:
    """See which device waits with a code, before letting it in.

    Raises DeviceNotFound.
    """
    found = await queries.waiting(ctx, _seal(ctx, user_code))
    if found is None:
        raise DeviceNotFound
    return AskingDevice(name=found.name, address=found.address or "", created_at=found.created_at)


@command("POST /auth/device/decision", "decideDevice", allow=verified, limit=AUTH)
async def decide_device(ctx: Ctx, *, user_code: UserCode, approve: bool) -> None:
    """Let a device in, which is then signed in as oneself, or turn it away.

    approve: true lets it in, false turns it away. Raises DeviceNotFound.
    """
    if not await queries.decide(ctx, _seal(ctx, user_code), user_id=ctx.user_id, approve=approve):
        raise DeviceNotFound
    ctx.record(DeviceDecided(user_id=ctx.user_id, approved=approve))


def _seal(ctx: Ctx, code: str) -> str:
    """How a code is stored: a copy of the database tells none."""
    return derived(ctx.settings.security.jwt_secret, "device code", plain_code(code))
