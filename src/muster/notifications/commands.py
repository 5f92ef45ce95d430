"""Telling people. Handlers of facts call this; it has no endpoint."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.notifications import queries


class NotificationAdded(Fact):
    """A person was told something."""

    kind: ClassVar[str] = "notification.added"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    notification_id: UUID


async def tell(ctx: Ctx, *, user_id: UUID, kind: str, data: Mapping[str, object]) -> None:
    """Tell a person something that follows from the fact at hand; a repeat for the same fact tells nothing.

    kind: what it is about, which clients render. data: the ids it needs. Raises LookupError outside a handler.
    """
    if ctx.cause is None:
        raise LookupError("only a handler tells, since the fact it follows is the key that makes a repeat harmless")
    made = await queries.put_notification(ctx, user_id=user_id, fact_id=ctx.cause, kind=kind, data=data)
    if made is not None:
        ctx.record(NotificationAdded(user_id=user_id, notification_id=made))
