"""Parties: a person and the guests they bring."""

from typing import Annotated

from msgspec import Meta

from muster.events.rules import ALONE, Party
from muster.events.tables.member import MOST_GUESTS
from muster.kit.arguments import Input


class Guest(Input):
    """Somebody who comes along. name: for the organisers; nobody has to be named."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S", examples=["Ada"])] | None = None


Guests = Annotated[list[Guest], Meta(max_length=MOST_GUESTS)]


def party_of(guests: list[Guest] | None) -> Party:
    """The party of somebody who brings these guests."""
    if not guests:
        return ALONE
    names = [" ".join((each.name or "").split()) for each in guests]
    return Party(size=1 + len(guests), guest_names="\n".join(names) if any(names) else None)
