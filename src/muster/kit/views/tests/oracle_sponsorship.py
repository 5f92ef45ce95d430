"""The part of the oracle that knows the books of events, and who keeps which."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_values import HOSTILE, MOMENTS

Row = dict[str, Any]


@dataclass(frozen=True)
class Sponsorship:
    """Books and favourites of the viewer's community."""

    lines: list[Row]
    favourites: list[Row]

    def fields(self) -> dict[str, Callable[[Row], Any]]:
        """What of the sponsorship of an event is no column."""
        return {
            "EventSponsorship.boostsLeft": lambda event: self._left(event, "boosts_left"),
            "EventSponsorship.pushesLeft": lambda event: self._left(event, "pushes_left"),
            "EventSponsorship.boostsUsed": lambda event: len(self._spent(event, "BOOST")),
            "EventSponsorship.pushesUsed": lambda event: len(self._spent(event, "PUSH")),
            "EventSponsorship.pushedAt": self._pushed_at,
            "EventSponsorship.savedCount": lambda event: len(
                [each for each in self.favourites if each["event_id"] == event["id"]]
            ),
        }

    def book(self, event: Row) -> list[Row]:
        """The lines of an event, in no order."""
        return [line for line in self.lines if line["event_id"] == event["id"]]

    def _left(self, event: Row, column: str) -> int:
        last = max(self.book(event), key=lambda line: int(line["number"]), default=None)
        return 0 if last is None else int(last[column])

    def _spent(self, event: Row, kind: str) -> list[Row]:
        return [line for line in self.book(event) if line["kind"] == kind]

    def _pushed_at(self, event: Row) -> str | None:
        last = max((line["created_at"] for line in self._spent(event, "PUSH")), default=None)
        return None if last is None else str(last.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


def book_of(chance: random.Random, ids: Row, people: list[UUID]) -> Iterator[Row]:
    """Lines of an event's book. ids: of the tenant and the event."""
    for number in range(1, 1 + chance.choice((0, 0, 1, 4))):
        kind = chance.choice(("NEW", "UPGRADE", "RELOAD", "BOOST", "PUSH"))
        line_id = UUID(int=chance.getrandbits(128), version=4)
        source = None if kind in ("BOOST", "PUSH") else f"{line_id} {chance.choice(HOSTILE)}"
        left = {name: chance.randint(0, 5) for name in ("boosts", "pushes", "boosts_left", "pushes_left")}
        by = {"by_id": chance.choice((None, *people)), "source_key": source, "created_at": chance.choice(MOMENTS)}
        yield {
            **ids,
            "id": line_id,
            "number": number,
            "kind": kind,
            "plan": chance.choice(("FREE", "PRO")),
            **left,
            **by,
        }
