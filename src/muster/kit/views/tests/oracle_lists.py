"""What resolvers of the oracle answer with: lists, pages, and refusals."""

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the oracle expects: data, or the code of a refusal."""

    data: dict[str, Any] | None
    refused: str | None


class Refused(Exception):
    """The whole request is refused with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class List:
    """A list as its resolver knows it: the rows that the viewer sees in it, before its arguments are read.

    name: of the list, and chosen: the arguments that choose its rows, both for its cursors.
    """

    type: str
    name: str
    rows: list[Row]
    chosen: dict[str, object] = field(default_factory=dict)


class Connection(dict[str, Any]):
    """A page, by the names of a connection's fields."""


ONE_OF = {
    "eventInviteLink": ("eventInviteLinks", "id", "id"),
    "eventAnnouncement": ("eventAnnouncements", "id", "id"),
    "eventJoinForm": ("eventJoinForms", "event_id", "eventId"),
    "eventMember": ("eventMembers", "user_id", "userId"),
    "memberAttendance": ("eventAttendance", "user_id", "userId"),
    "myFavourite": ("myFavourites", "event_id", "eventId"),
    "eventMessage": ("eventMessages", "id", "id"),
}
"""Queries for one row of a list: the list, the column that tells which, and the argument that names it."""
