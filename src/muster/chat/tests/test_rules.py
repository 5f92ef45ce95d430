"""What is allowed of messages, as tables of cases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from muster.chat.rules import DELETE_WINDOW, EDIT_WINDOW, Said, Verdict, decide_delete, decide_edit

SAID_AT = datetime(2030, 1, 1, tzinfo=UTC)
AUTHOR, OTHER = UUID(int=1), UUID(int=2)
LIVING, DELETED = Said(AUTHOR, "Hello", SAID_AT), Said(AUTHOR, None, SAID_AT)
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("said", "person", "content", "after", "verdict"),
    [
        (LIVING, AUTHOR, "Hi", timedelta(0), Verdict.ALLOWED),
        (LIVING, AUTHOR, "Hi", EDIT_WINDOW, Verdict.ALLOWED),
        (LIVING, AUTHOR, "Hi", EDIT_WINDOW + INSTANT, Verdict.TOO_LATE),
        (LIVING, AUTHOR, "Hello", EDIT_WINDOW + INSTANT, Verdict.UNCHANGED),
        (LIVING, OTHER, "Hi", timedelta(0), Verdict.NOT_AUTHOR),
        (LIVING, OTHER, "Hello", timedelta(0), Verdict.NOT_AUTHOR),
        (DELETED, AUTHOR, "Hi", timedelta(0), Verdict.DELETED),
        (DELETED, OTHER, "Hi", timedelta(0), Verdict.NOT_AUTHOR),
    ],
)
def test_edit(said: Said, person: UUID, content: str, after: timedelta, verdict: Verdict) -> None:
    assert decide_edit(said, person, content, SAID_AT + after) == verdict


@pytest.mark.parametrize(
    ("said", "person", "after", "moderates", "reason", "verdict"),
    [
        (LIVING, AUTHOR, DELETE_WINDOW, False, None, Verdict.ALLOWED),
        (LIVING, AUTHOR, DELETE_WINDOW + INSTANT, False, None, Verdict.TOO_LATE),
        (LIVING, AUTHOR, DELETE_WINDOW + INSTANT, False, "Please", Verdict.TOO_LATE),
        (LIVING, AUTHOR, DELETE_WINDOW + INSTANT, True, None, Verdict.ALLOWED),
        (LIVING, OTHER, timedelta(0), False, "Rude", Verdict.NOT_AUTHOR),
        (LIVING, OTHER, timedelta(0), True, None, Verdict.NEEDS_REASON),
        (LIVING, OTHER, timedelta(days=900), True, "Rude", Verdict.ALLOWED),
        (DELETED, AUTHOR, timedelta(days=900), False, None, Verdict.UNCHANGED),
        (DELETED, OTHER, timedelta(0), True, None, Verdict.UNCHANGED),
        (DELETED, OTHER, timedelta(0), False, "Rude", Verdict.NOT_AUTHOR),
    ],
)
def test_delete(
    said: Said, person: UUID, after: timedelta, moderates: bool, reason: str | None, verdict: Verdict
) -> None:
    assert decide_delete(said, person, SAID_AT + after, moderates=moderates, reason=reason) == verdict
