"""The verbs of the door."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.events import queries as events
from muster.events.checkin import queries, rules
from muster.events.checkin.queries import Guest
from muster.events.checkin.tickets import LONGEST_TICKET, Ticket, ticket_keys
from muster.events.checkin.views import EventAttendanceView
from muster.events.commands.attend import MembershipNotFound, NotSeated
from muster.events.commands.finding import EventNotFound, is_left_to_do, lock_event_for, lock_seen_event
from muster.events.facts import EventAttended
from muster.events.limits import EVENT_DOOR, EVENT_WRITE
from muster.events.rules import Deed
from muster.events.tables import ArrivalWay, Attendance, EventMemberStatus
from muster.kit.arguments import Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, Invalid
from muster.kit.qr import qr_code
from muster.kit.views.results import Payload
from muster.profiles.tables import Disclosure


class BadTicket(Invalid):
    """This is no ticket of this event; a scanner has to read all of the code."""

    code = "BAD_TICKET"


class NotHere(Denied):
    """You can check yourself in at the place of the event, or not at all; ask at the door."""

    code = "NOT_HERE"


class NotNow(Conflict):
    """You can check yourself in from two hours before the start until the end."""

    code = "NOT_NOW"


class EventTicket(Payload):
    """What the door wants to see.

    ticket: a JSON Web Token whose keys stand at `/.well-known/tickets.json`. qr: the same as a QR code, an SVG image.
    attendance: of who holds it.
    """

    ticket: str
    qr: str
    attendance: EventAttendanceView


TicketText = Annotated[str, Meta(max_length=LONGEST_TICKET, description="As the code says it.")]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north, where you are.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east, where you are.")]


@command("POST /events/{event_id}/members/me/ticket", "eventTicket", allow=member, limit=EVENT_WRITE)
async def own_ticket(ctx: Ctx, *, event_id: UUID) -> EventTicket:
    """One's own ticket to an event. It is the same each time.

    Raises EventNotFound, NotSeated without a place.
    """
    # A ticket changes nothing, so nobody at the door waits for the event's lock.
    own = await events.standing(ctx, event_id, ctx.user_id)
    if own is None or not own.seen:
        raise EventNotFound
    if own.member_id is None or own.status != EventMemberStatus.JOINED:
        raise NotSeated
    text = ticket_keys(ctx.settings.security.secrets).sign(Ticket(ctx.tenant_id, event_id, own.member_id))
    return EventTicket(ticket=text, qr=qr_code(text), attendance=EventAttendanceView.ref(own.member_id))


@command("POST /events/{event_id}/attendance", "checkIn", allow=member, limit=EVENT_DOOR)
async def check_in(ctx: Ctx, *, event_id: UUID, ticket: TicketText, at: Instant | None = None) -> EventAttendanceView:
    """Let somebody in whose ticket was scanned. Scanned again, it counts, and the first arrival stays.

    at: when it was scanned, of a scanner that had no network then; absent is now, and so is what lies ahead.
    Raises EventNotFound, NotOrganiser, NotPublished, EventIsCancelled, BadTicket, NotSeated for who gave their place up.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.CHECK_IN)
    is_left_to_do(ctx, event, Deed.CHECK_IN)
    read = ticket_keys(ctx.settings.security.secrets).read(ticket)
    if read is None or (read.tenant_id, read.event_id) != (ctx.tenant_id, event_id):
        raise BadTicket.field("ticket", BadTicket.__doc__ or "", BadTicket.code)
    guest = _seated(await queries.lock_member(ctx, event_id, read.member_id))
    return await _arrived(ctx, event_id, guest, ArrivalWay.SCAN, ctx.now if at is None else min(at, ctx.now))


@command("PUT /events/{event_id}/attendance/{user_id}", "markAttendance", allow=member, limit=EVENT_DOOR)
async def mark_attendance(
    ctx: Ctx, *, event_id: UUID, user_id: UUID, attendance: Attendance | None = None
) -> EventAttendanceView:
    """Say of somebody with a place whether they came, without a ticket. attendance: null takes back what was said.

    Raises EventNotFound, NotOrganiser, NotPublished, EventIsCancelled, MembershipNotFound, NotSeated.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.CHECK_IN)
    is_left_to_do(ctx, event, Deed.CHECK_IN)
    guest = await queries.lock_person(ctx, event_id, user_id)
    if guest is None:
        raise MembershipNotFound
    if _seated(guest).attendance == attendance:
        return EventAttendanceView.ref(guest.id)
    if attendance == Attendance.PRESENT:
        return await _arrived(ctx, event_id, guest, ArrivalWay.ORGANISER)
    await queries.put_marked(ctx, guest.id, attendance)
    return EventAttendanceView.ref(guest.id)


@command("POST /events/{event_id}/attendance/me", "checkInMyself", allow=member, limit=EVENT_WRITE)
async def check_in_myself(ctx: Ctx, *, event_id: UUID, latitude: Latitude, longitude: Longitude) -> EventAttendanceView:
    """Say that one is there, where the event lets people check themselves in. Where one is is not kept.

    Raises EventNotFound, NotPublished, EventIsCancelled, NotSeated, NotNow, NotHere.
    """
    event, _ = await lock_seen_event(ctx, event_id)
    is_left_to_do(ctx, event, Deed.CHECK_IN)
    guest = _seated(await queries.lock_person(ctx, event_id, ctx.user_id))
    door = await queries.door_of(ctx, event_id)
    # Where it is hidden, answers about how near one is would tell in the end where it is. The middle of a city is not
    # where an event is.
    is_hidden = door.address_visibility == Disclosure.HIDDEN or door.has_city_point
    if door.self_check_in_metres is None or door.latitude is None or door.longitude is None or is_hidden:
        raise NotHere
    if not rules.is_time_to_come(event.starts_at, event.ends_at, ctx.now):
        raise NotNow
    apart = rules.metres_between((door.latitude, door.longitude), (latitude, longitude))
    if apart > door.self_check_in_metres:
        raise NotHere
    if guest.attendance == Attendance.PRESENT:
        return EventAttendanceView.ref(guest.id)
    return await _arrived(ctx, event_id, guest, ArrivalWay.ONESELF)


def _seated(guest: Guest | None) -> Guest:
    if guest is None or guest.status != EventMemberStatus.JOINED:
        raise NotSeated
    return guest


async def _arrived(
    ctx: Ctx, event_id: UUID, guest: Guest, way: ArrivalWay, at: datetime | None = None
) -> EventAttendanceView:
    await queries.put_arrived(ctx, guest.id, at or ctx.now, way)
    if guest.attendance != Attendance.PRESENT:
        ctx.record(EventAttended(event_id=event_id, user_id=guest.user_id, member_id=guest.id))
    return EventAttendanceView.ref(guest.id)
