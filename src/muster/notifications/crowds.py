"""Telling a crowd: some hundred in a transaction, each once, as a repeat for the same fact tells nobody."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Mail
from muster.kit.views.view import View
from muster.kit.work.errands import Errand
from muster.notifications.commands import tell

BATCH = 200
"""How many are told in one transaction: a crowd takes many short ones, so that nobody else's work waits behind it."""
_BEFORE_EVERYBODY = UUID(int=0)


class Recipient(Protocol):
    """Who is to be told, and whether by mail too."""

    @property
    def user_id(self) -> UUID:
        """Who."""

    @property
    def by_mail(self) -> bool:
        """Whether a letter goes to them, too."""


@dataclass(frozen=True)
class Person:
    """A recipient who is told by mail, too, unless it says otherwise."""

    user_id: UUID
    by_mail: bool = True


Following = Callable[[Ctx, UUID], Awaitable[Sequence[Recipient]]]
"""Finds who comes after the last one who was told, at most a batch, by their ids."""


async def tell_crowd(
    errand: Errand,
    following: Following,
    *,
    kind: str,
    data: Mapping[str, object],
    mail: Mail | None,
    about: View | None = None,
    but: UUID | None = None,
) -> None:
    """Tell everybody. mail: None tells in the product alone. about: as in `tell`. but: who did it, and needs no telling."""
    last = _BEFORE_EVERYBODY
    while True:
        async with errand.transaction() as ctx:
            people = await following(ctx, last)
            for each in (each for each in people if each.user_id != but):
                letter = mail if each.by_mail else None
                await tell(ctx, user_id=each.user_id, kind=kind, data=data, about=about, mail=letter)
        if not people:
            return
        last = people[-1].user_id
