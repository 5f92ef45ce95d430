"""The decisions of teams, as tables of cases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from muster.access.roles import ROLES, TEAM_MANAGE
from muster.tenancy.teams.rules import MANAGERS, Deed, Seat, heir, may, power
from muster.tenancy.teams.tables import TeamRole

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_ANN, _BOB, _EVE = UUID(int=1), UUID(int=2), UUID(int=3)


def _seat(person: UUID, role: TeamRole, days: int) -> Seat:
    return Seat(person, role, _BEGAN + timedelta(days=days))


def test_those_who_manage_teams_are_named_as_the_roles_say() -> None:
    assert set(MANAGERS) == {role for role, gives in ROLES.items() if TEAM_MANAGE in gives}


@pytest.mark.parametrize(
    ("role", "deeds"),
    [
        (TeamRole.OWNER, {Deed.PEOPLE, Deed.EDIT, Deed.DELETE}),
        (TeamRole.ADMIN, {Deed.PEOPLE, Deed.EDIT}),
        (TeamRole.MEMBER, set()),
        (TeamRole.VIEWER, set()),
        (None, set()),
    ],
)
def test_who_may_what(role: TeamRole | None, deeds: set[Deed]) -> None:
    assert {deed for deed in Deed if may(power(role, manages=False), deed)} == deeds
    assert {deed for deed in Deed if may(power(role, manages=True), deed)} == set(Deed)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ([], None),
        ([_seat(_ANN, TeamRole.OWNER, 3), _seat(_BOB, TeamRole.ADMIN, 1)], None),
        ([_seat(_ANN, TeamRole.MEMBER, 1), _seat(_BOB, TeamRole.ADMIN, 3), _seat(_EVE, TeamRole.ADMIN, 2)], _EVE),
        ([_seat(_ANN, TeamRole.VIEWER, 2), _seat(_BOB, TeamRole.VIEWER, 2)], _ANN),
    ],
)
def test_the_highest_of_who_came_first_owns_it_next(left: list[Seat], expected: UUID | None) -> None:
    assert heir(left) == expected
