"""How full an event is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """How full an event is. max: None is unlimited. has_queue: whether somebody waits."""

    taken: int
    max: int | None
    has_queue: bool = False

    @property
    def free(self) -> int | None:
        """How many places are free; None is unlimited."""
        return None if self.max is None else self.max - self.taken

    def has_room(self, party: int = 1) -> bool:
        """Whether so many places are free, whoever waits."""
        return self.free is None or party <= self.free

    def seats(self, party: int = 1) -> bool:
        """Whether who comes now is seated, so many heads: they fit, and overtake nobody."""
        return self.has_room(party) and not self.has_queue
