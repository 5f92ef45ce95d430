"""What the mails about requests and bans tell, in the words of `events/words/`."""

from typing import ClassVar
from uuid import UUID

from muster.events import queries
from muster.events.letters import page_of
from muster.events.rules import ATTENDING
from muster.events.tables import EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail


class RequestedMail(Mail):
    """To who runs the event: somebody wants to be let in."""

    kind: ClassVar[str] = "events.requested"
    event_id: UUID
    user_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone, or the request is answered or taken back."""
        return await _letter(ctx, self.event_id, self.user_id, (EventMemberStatus.PENDING,))


class ApprovedMail(Mail):
    """To who asked: they are let in. What it says of a place depends on what they have by then."""

    kind: ClassVar[str] = "events.approved"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have gone meanwhile."""
        return await _letter(ctx, self.event_id, user_id, ATTENDING)


class RejectedMail(Mail):
    """To who asked: they are not let in."""

    kind: ClassVar[str] = "events.rejected"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it was decided otherwise meanwhile."""
        return await _letter(ctx, self.event_id, user_id, (EventMemberStatus.REJECTED,))


class BannedMail(Mail):
    """To who is kept out of an event from now on."""

    kind: ClassVar[str] = "events.banned"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they are banned no more."""
        return await _letter(ctx, self.event_id, user_id, (EventMemberStatus.BANNED,))


class UnbannedMail(Mail):
    """To who was kept out of an event until now."""

    kind: ClassVar[str] = "events.unbanned"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they are something else by now."""
        return await _letter(ctx, self.event_id, user_id, (EventMemberStatus.REJECTED,))


async def _letter(ctx: Ctx, event_id: UUID, user_id: UUID, statuses: tuple[EventMemberStatus, ...]) -> Letter | None:
    """The event's name, what became of a person in it, and why; None unless they are one of these by now."""
    event = await queries.outline_of(ctx, event_id)
    own = None if event is None else await queries.standing(ctx, event_id, user_id)
    if event is None or own is None or own.status not in statuses:
        return None
    place = own.status if own.status in ATTENDING else None
    return Letter(
        values={
            "title": event.title,
            "reason": own.reject_reason,
            "seated": event.title if place == EventMemberStatus.JOINED else None,
            "waiting": event.title if place == EventMemberStatus.WAITLIST else None,
        },
        link=page_of(ctx, event_id),
    )
