"""What is allowed of events: pure decisions, no SQL, no clock, no I/O."""

from muster.events.rules.draft import (
    EARLIEST_START,
    LONGEST,
    NEEDS_POINT,
    SIZES,
    Draft,
    Problem,
    capacity,
    draft_of,
    draft_problems,
)
from muster.events.rules.joining import JOIN_LOCKS, JoinLock, Places, Terms, Verdict, decide_join
from muster.events.rules.life import COOLING, LIFE, Deed, Deletion, Phase, Ruling, decide_deletion, move_problems, phase
from muster.events.rules.roles import ORGANISERS, is_organiser

__all__ = [
    "COOLING",
    "EARLIEST_START",
    "JOIN_LOCKS",
    "LIFE",
    "LONGEST",
    "NEEDS_POINT",
    "ORGANISERS",
    "SIZES",
    "Deed",
    "Deletion",
    "Draft",
    "JoinLock",
    "Phase",
    "Places",
    "Problem",
    "Ruling",
    "Terms",
    "Verdict",
    "capacity",
    "decide_deletion",
    "decide_join",
    "draft_of",
    "draft_problems",
    "is_organiser",
    "move_problems",
    "phase",
]
