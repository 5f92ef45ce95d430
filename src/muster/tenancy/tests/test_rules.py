"""Who comes into a community, as a table of cases."""

import pytest

from muster.tenancy.rules import Admission, Way, decide_admission, has_room
from muster.tenancy.tables import MemberStatus

_OPEN_DOORS = (Way.OPEN, Way.LINK)


@pytest.mark.parametrize("way", Way)
def test_who_was_never_there_is_new_and_who_is_there_stays(way: Way) -> None:
    assert decide_admission(None, way) is Admission.NEW
    assert decide_admission(MemberStatus.ACTIVE, way) is Admission.UNCHANGED
    assert decide_admission(MemberStatus.LEFT, way) is Admission.BACK


@pytest.mark.parametrize("way", Way)
def test_no_door_lifts_a_suspension(way: Way) -> None:
    assert decide_admission(MemberStatus.SUSPENDED, way) is Admission.SUSPENDED


@pytest.mark.parametrize("way", Way)
def test_who_was_removed_comes_back_by_a_decision_about_them_alone(way: Way) -> None:
    expected = Admission.REMOVED if way in _OPEN_DOORS else Admission.BACK
    assert decide_admission(MemberStatus.REMOVED, way) is expected


def test_a_community_without_a_limit_always_has_room() -> None:
    assert has_room(10**6, None)
    assert has_room(2, 3)
    assert not has_room(3, 3)
