"""Telling a crowd: some hundred in a transaction, each once, as a repeat for the same fact tells nobody."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from muster.events.queries import Recipient
from muster.events.views import EventView
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Mail
from muster.kit.work.errands import Errand
from muster.notifications import commands as notifications

BATCH = 200
"""How many are told in one transaction: a crowd takes many short ones, so that nobody else's work waits behind it."""
_BEFORE_EVERYBODY = UUID(int=0)


Following = Callable[[Ctx, UUID], Awaitable[Sequence[Recipient]]]
"""Finds who comes after the last one who was told, at most a batch, by their ids."""


async def tell_crowd(
    errand: Errand,
    event_id: UUID,
    following: Following,
    *,
    kind: str,
    data: Mapping[str, object],
    mail: Mail | None,
    but: UUID | None = None,
) -> None:
    """Tell everybody about an event. mail: None tells in the product alone. but: who needs no telling, since they did it."""
    about, last = EventView.ref(event_id), _BEFORE_EVERYBODY
    while True:
        async with errand.transaction() as ctx:
            people = await following(ctx, last)
            for each in (each for each in people if each.user_id != but):
                letter = mail if each.by_mail else None
                await notifications.tell(ctx, user_id=each.user_id, kind=kind, data=data, about=about, mail=letter)
        if not people:
            return
        last = people[-1].user_id
