"""The rules of identity, as tables of cases."""

from datetime import UTC, datetime, timedelta

import pytest

from muster.identity.rules import Refresh, count_failure, decide_refresh, is_locked

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def _ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("failures", "failed_at", "locked"),
    [
        (0, None, False),
        (4, _ago(1), False),
        (5, _ago(0), True),
        (5, _ago(899), True),
        (5, _ago(900), False),
        (5, _ago(-1), True),
    ],
)
def test_an_account_rests_a_quarter_of_an_hour_after_five_failures(
    failures: int, failed_at: datetime | None, locked: bool
) -> None:
    assert is_locked(failures, failed_at, NOW) is locked


@pytest.mark.parametrize(
    ("failures", "failed_at", "counted"),
    [(0, None, 1), (1, _ago(1), 2), (4, _ago(899), 5), (4, _ago(900), 1), (5, _ago(900), 1)],
)
def test_failures_count_while_they_are_recent(failures: int, failed_at: datetime | None, counted: int) -> None:
    assert count_failure(failures, failed_at, NOW) == counted


@pytest.mark.parametrize(
    ("presented", "generation", "refreshed_at", "decision"),
    [
        (0, 0, _ago(0), Refresh.ROTATE),
        (0, 0, _ago(600_000), Refresh.ROTATE),
        (7, 7, _ago(1), Refresh.ROTATE),
        (6, 7, _ago(0), Refresh.REPEAT),
        (6, 7, _ago(10), Refresh.REPEAT),
        (6, 7, _ago(-2), Refresh.REPEAT),
        (6, 7, _ago(10.001), Refresh.REPLAY),
        (5, 7, _ago(0), Refresh.REPLAY),
        (8, 7, _ago(0), Refresh.REPLAY),
    ],
)
def test_a_refresh_token_is_spent_once_and_repeats_for_ten_seconds(
    presented: int, generation: int, refreshed_at: datetime, decision: Refresh
) -> None:
    assert decide_refresh(presented, generation, refreshed_at, NOW) is decision
