"""The plans of events: what each version of each lets an event have and do. Data, read from `plans.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from muster.events.tables import EventPlan

UNLIMITED = -1
PACKAGES = (1, 3, 5)
"""How many boosts and local pushes a reload adds."""


class PlanLimit(StrEnum):
    """What a plan limits.

    ACTIVE_EVENTS: of the owner on the same plan, published or to be and not over; the occurrences of a series are one.
    PARTICIPANTS: heads that an event has places for. CHAT: whether its room is talked in. HYBRID: whether it may take
    place online and elsewhere at once. CO_ORGANISERS: moderators beside the owner. BOOSTS, PUSHES: that come with the plan.
    """

    ACTIVE_EVENTS = "ACTIVE_EVENTS"
    PARTICIPANTS = "PARTICIPANTS"
    CHAT = "CHAT"
    HYBRID = "HYBRID"
    JOIN_QUESTIONS = "JOIN_QUESTIONS"
    CO_ORGANISERS = "CO_ORGANISERS"
    BOOSTS = "BOOSTS"
    PUSHES = "PUSHES"
    FEEDBACK_QUESTIONS = "FEEDBACK_QUESTIONS"


Limits = Mapping[PlanLimit, int]
Wanted = Mapping[PlanLimit, int | None]
"""How much of what a plan limits an event would have; None is without end."""


def _read() -> tuple[Mapping[EventPlan, Limits], ...]:
    text = (files(__package__) / "plans.toml").read_text(encoding="utf-8")
    return tuple(
        {plan: {each: version[plan][each.lower()] for each in PlanLimit} for plan in EventPlan}
        for version in tomllib.loads(text)["version"]
    )


VERSIONS = _read()
CURRENT = len(VERSIONS)
"""The version that new events are made with."""


def limits_of(plan: EventPlan, version: int) -> Limits:
    """What a plan allows. version: from 1 on."""
    return VERSIONS[version - 1][plan]


@dataclass(frozen=True)
class Excess:
    """What an event would have too much of. current: None is without end. remedy: the least plan that allows it."""

    limit: PlanLimit
    current: int | None
    allowed: int
    remedy: EventPlan | None


def excess(plan: EventPlan, version: int, wanted: Wanted) -> Excess | None:
    """The first of what is wanted that a plan does not allow; None when it allows all of it."""
    for limit, current in wanted.items():
        if not _allows(plan, version, limit, current):
            remedy = next((each for each in EventPlan if _allows(each, version, limit, current)), None)
            return Excess(limit, current, limits_of(plan, version)[limit], remedy)
    return None


def _allows(plan: EventPlan, version: int, limit: PlanLimit, current: int | None) -> bool:
    allowed = limits_of(plan, version)[limit]
    return allowed == UNLIMITED or (current is not None and current <= allowed)


@dataclass(frozen=True)
class Movement:
    """What a line of an event's book says: boosts and local pushes that come, below 0 where they go, and the plan that the
    event has from then on.
    """

    plan: EventPlan
    boosts: int
    pushes: int


def brought_by(held: EventPlan, plan: EventPlan, version: int, *, upgrades: bool) -> Movement:
    """What a plan brings to an event that holds one. Nothing of what was held is lost: the larger plan stays.

    upgrades: only what the plan brings beyond the one that is held.
    """
    new, old = limits_of(plan, version), limits_of(held, version)
    boosts, pushes = (
        max(0, new[each] - old[each]) if upgrades else new[each] for each in (PlanLimit.BOOSTS, PlanLimit.PUSHES)
    )
    larger = max(held, plan, key=[*EventPlan].index)
    return Movement(larger, boosts, pushes)
