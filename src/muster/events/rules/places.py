"""How full an event is, and who of its queue gets the places that are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from muster.events.tables import WaitlistPolicy


class Party(NamedTuple):
    """Who come under one name, and are seated together.

    size: heads, the person and their guests. guest_names: a line for each guest; None when nobody named any.
    """

    size: int = 1
    guest_names: str | None = None


ALONE = Party()


@dataclass(frozen=True)
class Places:
    """How full an event is.

    taken: heads with a place. max: None is unlimited. held: heads whom a place is offered. smallest_waiting: the size of
    the smallest party that waits and is offered none; None when nobody does.
    """

    taken: int
    max: int | None
    held: int = 0
    smallest_waiting: int | None = None
    policy: WaitlistPolicy = WaitlistPolicy.FIFO_STRICT

    @property
    def free(self) -> int | None:
        """How many places are free; None is unlimited."""
        return None if self.max is None else self.max - self.taken - self.held

    def has_room(self, party: int = 1) -> bool:
        """Whether so many places are free, whoever waits."""
        return self.free is None or party <= self.free

    def ever_seats(self, party: int = 1) -> bool:
        """Whether a party could have places at all, once everybody has left but the owner, who always has one.

        Nobody is too many alone: they wait for a larger event.
        """
        return self.max is None or party <= max(1, self.max - 1)

    def seats(self, party: int = 1) -> bool:
        """Whether a party that comes now is seated: it fits, and overtakes nobody who could have its places.

        Of a queue that is served by `BEST_FIT`, nobody can have them whose party is larger than what is free. If not even
        the smallest that waits could ever have places, nobody who waits could.
        """
        if not self.has_room(party) or self.smallest_waiting is None or not self.ever_seats(self.smallest_waiting):
            return self.has_room(party)
        return self.policy == WaitlistPolicy.BEST_FIT and not self.has_room(self.smallest_waiting)


class Waits(Protocol):
    """A party in a queue."""

    @property
    def party_size(self) -> int:
        """Its heads."""


W = TypeVar("W", bound=Waits)


def served(queue: Sequence[W], places: Places) -> list[W]:
    """Who of a queue gets places now, each party whole.

    queue: in its order. `FIFO_STRICT` stops at the first that does not fit, `BEST_FIT` goes past it. Both go past whom the
    event could never seat.
    """
    chosen: list[W] = []
    free = places.free
    for party in queue:
        if free is None or party.party_size <= free:
            chosen.append(party)
            free = None if free is None else free - party.party_size
        elif places.policy == WaitlistPolicy.FIFO_STRICT and places.ever_seats(party.party_size):
            break
    return chosen
