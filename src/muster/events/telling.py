"""Telling a crowd about an event."""

from collections.abc import Mapping
from uuid import UUID

from muster.events.views import EventView
from muster.kit.mail.kinds import Mail
from muster.kit.work.errands import Errand
from muster.notifications import crowds
from muster.notifications.crowds import BATCH, Following

__all__ = ["BATCH", "Following", "tell_crowd"]


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
    about = EventView.ref(event_id)
    await crowds.tell_crowd(errand, following, kind=kind, data=data, about=about, mail=mail, but=but)
