"""What is allowed of messages: pure decisions, no SQL, no clock, no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

EDIT_WINDOW = timedelta(minutes=5)
DELETE_WINDOW = timedelta(minutes=15)
NOTICE_GRACE = timedelta(minutes=2)
"""How long a message may stay unread before its readers are told of it."""


class Verdict(StrEnum):
    """What becomes of a wish to edit or delete a message."""

    ALLOWED = "ALLOWED"
    UNCHANGED = "UNCHANGED"
    NOT_AUTHOR = "NOT_AUTHOR"
    TOO_LATE = "TOO_LATE"
    DELETED = "DELETED"
    NEEDS_REASON = "NEEDS_REASON"


@dataclass(frozen=True)
class Said:
    """A message as the rules see it. content: None once it is deleted."""

    author_id: UUID
    content: str | None
    created_at: datetime


def decide_edit(said: Said, person_id: UUID, content: str, now: datetime) -> Verdict:
    """Whether a person may replace a message's text. Nobody rewrites another's words, whatever their rights."""
    if said.author_id != person_id:
        return Verdict.NOT_AUTHOR
    if said.content is None:
        return Verdict.DELETED
    if said.content == content:
        return Verdict.UNCHANGED
    return Verdict.ALLOWED if now <= said.created_at + EDIT_WINDOW else Verdict.TOO_LATE


def decide_delete(said: Said, person_id: UUID, now: datetime, *, moderates: bool, reason: str | None) -> Verdict:
    """Whether a person may delete a message. Who moderates says why when the words are not their own."""
    is_author = said.author_id == person_id
    if not (is_author or moderates):
        return Verdict.NOT_AUTHOR
    if said.content is None:
        return Verdict.UNCHANGED
    if not is_author and reason is None:
        return Verdict.NEEDS_REASON
    return Verdict.ALLOWED if moderates or now <= said.created_at + DELETE_WINDOW else Verdict.TOO_LATE
