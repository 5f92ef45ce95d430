"""What people are told about events, in the product and by mail."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from muster.chat import queries as chat
from muster.chat.commands import RoomUnread
from muster.events import queries
from muster.events.facts import (
    EventCancelled,
    EventDeleted,
    EventJoined,
    EventKicked,
    EventMissedPublication,
    EventPromoted,
    EventRestored,
    EventRoleChanged,
    EventUpdated,
)
from muster.events.letters import (
    CancelledMail,
    DeletedMail,
    JoinedMail,
    MessagesMail,
    MovedMail,
    NotPublishedMail,
    PromotedMail,
    RestoredMail,
)
from muster.events.queries import Recipient
from muster.events.rules import CONCERNED
from muster.events.tables import EventMemberStatus, EventStatus
from muster.events.telling import BATCH, tell_crowd
from muster.events.views import EventMemberView, EventView
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Mail
from muster.kit.work.errands import Errand
from muster.notifications import commands as notifications

_MOVES = frozenset(
    {
        "startsAt",
        "endsAt",
        "timezone",
        "meetingKind",
        "onlineUrl",
        "address",
        "place",
        "city",
        "country",
        "latitude",
        "longitude",
    }
)
"""The fields whose change moves an event in time or place."""


class DoneBySomebody(Protocol):
    """A fact about an event that somebody brought about."""

    @property
    def event_id(self) -> UUID:
        """Which event."""

    @property
    def user_id(self) -> UUID | None:
        """Who did it; None when nobody did."""


async def tell_owner_of_join(ctx: Ctx, fact: EventJoined) -> None:
    """Tell the owner who took a place; their own needs no telling, and of who was invited all organisers are told."""
    owner_id = await queries.owner_of(ctx, fact.event_id)
    if owner_id is not None and owner_id != fact.user_id and not fact.was_invited:
        data = {"eventId": fact.event_id, "userId": fact.user_id}
        about, mail = EventMemberView.ref(fact.member_id), JoinedMail(event_id=fact.event_id)
        await notifications.tell(ctx, user_id=owner_id, kind="EVENT_JOINED", data=data, about=about, mail=mail)


async def tell_promoted(ctx: Ctx, fact: EventPromoted) -> None:
    """Tell who waited that they have a place now."""
    about, mail = EventView.ref(fact.event_id), PromotedMail(event_id=fact.event_id)
    data = {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_PROMOTED", data=data, about=about, mail=mail)


async def tell_kicked(ctx: Ctx, fact: EventKicked) -> None:
    """Tell who was removed; the note about it is for the organisers."""
    about, data = EventView.ref(fact.event_id), {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind="EVENT_MEMBER_KICKED", data=data, about=about)


async def tell_new_role(ctx: Ctx, fact: EventRoleChanged) -> None:
    """Tell a member what they are now."""
    about, data = EventMemberView.ref(fact.member_id), {"eventId": fact.event_id, "role": fact.role}
    await notifications.tell(ctx, user_id=fact.user_id, kind="EVENT_MEMBER_ROLE_CHANGED", data=data, about=about)


async def tell_of_messages(errand: Errand, fact: RoomUnread) -> None:
    """Tell who has something to read in an event's room, once until they have read it. Who is told is marked so."""
    about, mail = EventView.ref(fact.room_id), MessagesMail(event_id=fact.room_id, sequence=fact.sequence)
    told, data = BATCH, {"eventId": fact.room_id}
    while told == BATCH:
        async with errand.transaction() as ctx:
            people = await chat.take_to_tell(ctx, fact.room_id, fact.sequence, limit=BATCH)
            for user_id in people:
                await notifications.tell(
                    ctx,
                    user_id=user_id,
                    kind="EVENT_MESSAGES",
                    data=data,
                    about=about,
                    mail=mail,
                    settled_by_id=fact.room_id,
                )
        told = len(people)


async def tell_cancelled(errand: Errand, fact: EventCancelled) -> None:
    """Tell everybody who has a place, waits for one, asked or is invited that the event will not take place."""
    mail = CancelledMail(event_id=fact.event_id)
    await tell_each(errand, fact, CONCERNED, kind="EVENT_CANCELLED", data={"eventId": fact.event_id}, mail=mail)


async def tell_deleted(errand: Errand, fact: EventDeleted) -> None:
    """Tell everybody who had a place or waited for one that somebody deleted the event."""
    if fact.user_id is not None:
        data, mail = {"eventId": fact.event_id}, DeletedMail(event_id=fact.event_id)
        await tell_each(errand, fact, CONCERNED, kind="EVENT_DELETED", data=data, mail=mail)


async def tell_restored(errand: Errand, fact: EventRestored) -> None:
    """Tell everybody who has a place or waits for one that the event is back; of a draft its owner."""
    data, mail = {"eventId": fact.event_id}, RestoredMail(event_id=fact.event_id)
    await tell_each(errand, fact, CONCERNED, kind="EVENT_RESTORED", data=data, mail=mail)


async def tell_not_published(ctx: Ctx, fact: EventMissedPublication) -> None:
    """Tell the owner that their event had begun before it could publish itself."""
    owner_id = await queries.owner_of(ctx, fact.event_id)
    if owner_id is not None:
        about, data = EventView.ref(fact.event_id), {"eventId": fact.event_id}
        mail = NotPublishedMail(event_id=fact.event_id)
        await notifications.tell(ctx, user_id=owner_id, kind="EVENT_NOT_PUBLISHED", data=data, about=about, mail=mail)


async def tell_moved(errand: Errand, fact: EventUpdated) -> None:
    """Tell everybody who has a place when or where the event takes place now. A draft moves without a word."""
    moved = sorted(_MOVES.intersection(fact.changed))
    if not moved:
        return
    async with errand.transaction() as ctx:
        event = await queries.outline_of(ctx, fact.event_id)
    if event is None or event.status != EventStatus.PUBLISHED:
        return
    data = {
        "eventId": fact.event_id,
        "changed": moved,
        "oldStartsAt": fact.old_starts_at,
        "oldEndsAt": fact.old_ends_at,
    }
    mail = MovedMail(event_id=fact.event_id)
    await tell_each(errand, fact, (EventMemberStatus.JOINED,), kind="EVENT_UPDATED", data=data, mail=mail)


async def tell_each(
    errand: Errand,
    fact: DoneBySomebody,
    statuses: tuple[EventMemberStatus, ...],
    *,
    kind: str,
    data: Mapping[str, object],
    mail: Mail,
) -> None:
    """Tell all people of these standings but the one who did it. Run again, it tells only who has not been told."""

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        return await queries.members_after(ctx, fact.event_id, statuses, after, size=BATCH)

    await tell_crowd(errand, fact.event_id, following, kind=kind, data=data, mail=mail, but=fact.user_id)
