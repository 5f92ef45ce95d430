"""The plans as data: whole, growing, and what is read from them."""

import pytest

from muster.events.sponsorship.plans import (
    CURRENT,
    UNLIMITED,
    VERSIONS,
    Movement,
    PlanLimit,
    brought_by,
    excess,
    limits_of,
)
from muster.events.tables import EventPlan

FREE, PLUS, PRO = EventPlan


def test_a_larger_plan_allows_no_less() -> None:
    for version in range(1, CURRENT + 1):
        for limit in PlanLimit:
            rising = [limits_of(plan, version)[limit] for plan in EventPlan]
            assert rising == sorted(rising, key=lambda each: float("inf") if each == UNLIMITED else each), limit
    assert len(VERSIONS) == CURRENT


@pytest.mark.parametrize(("plan", "boosts"), [(FREE, 0), (PLUS, 1), (PRO, 3)])
def test_boosts_and_pushes_come_with_plans(plan: EventPlan, boosts: int) -> None:
    """Quotas of Miglee, 0, 1 and 3 of each."""
    limits = limits_of(plan, 1)
    assert (limits[PlanLimit.BOOSTS], limits[PlanLimit.PUSHES]) == (boosts, boosts)


@pytest.mark.parametrize(
    ("plan", "wanted", "expected"),
    [
        (FREE, {PlanLimit.PARTICIPANTS: 50, PlanLimit.HYBRID: 0}, None),
        (FREE, {PlanLimit.PARTICIPANTS: 51}, (PlanLimit.PARTICIPANTS, 51, 50, PLUS)),
        (FREE, {PlanLimit.PARTICIPANTS: 151}, (PlanLimit.PARTICIPANTS, 151, 50, PRO)),
        (PRO, {PlanLimit.PARTICIPANTS: None}, (PlanLimit.PARTICIPANTS, None, 500, None)),
        (FREE, {PlanLimit.CHAT: 1}, (PlanLimit.CHAT, 1, 0, PLUS)),
        (PRO, {PlanLimit.ACTIVE_EVENTS: 10_000}, None),
    ],
)
def test_what_is_too_much(plan: EventPlan, wanted: dict[PlanLimit, int | None], expected: object) -> None:
    found = excess(plan, 1, wanted)
    assert (None if found is None else (found.limit, found.current, found.allowed, found.remedy)) == expected


@pytest.mark.parametrize(
    ("held", "plan", "upgrades", "expected"),
    [
        (FREE, PLUS, False, Movement(PLUS, 1, 1)),
        (PLUS, PLUS, False, Movement(PLUS, 1, 1)),
        (PLUS, PRO, True, Movement(PRO, 2, 2)),
        (PRO, PLUS, False, Movement(PRO, 1, 1)),
        (PRO, PRO, True, Movement(PRO, 0, 0)),
    ],
)
def test_what_a_plan_brings(held: EventPlan, plan: EventPlan, upgrades: bool, expected: Movement) -> None:
    assert brought_by(held, plan, 1, upgrades=upgrades) == expected
