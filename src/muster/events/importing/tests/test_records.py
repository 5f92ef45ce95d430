"""What becomes of one row: which fields an event gets from it, and what is refused under which name."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from muster.events.importing.records import Arrival, Refused, arrival
from muster.events.importing.rows import Row
from muster.events.tables import MeetingKind

ROW: dict[str, Any] = {
    "name": "PyCon PL",
    "url": "https://pl.pycon.org",
    "start_date": "2019-08-29",
    "end_date": "2019-09-01",
    "city": "Ossa",
    "country": "Poland",
    "topics": ["Python", "python"],
    "latitude": 51.7,
    "longitude": 20.6,
    "timezone": "Europe/Warsaw",
}


def made(**changes: object) -> Arrival:
    """The row with other fields; None leaves one out."""
    return arrival(Row(1, 0, 0, {name: value for name, value in (ROW | changes).items() if value is not None}))


def test_an_event_in_the_past_comes_in_whole() -> None:
    found = made()
    warsaw = ZoneInfo("Europe/Warsaw")
    expected = {
        "title": "PyCon PL",
        "starts_at": datetime(2019, 8, 29, tzinfo=warsaw),
        "ends_at": datetime(2019, 9, 2, tzinfo=warsaw),
        "timezone": "Europe/Warsaw",
        "meeting_kind": MeetingKind.ONSITE,
        "online_url": None,
        "url": "https://pl.pycon.org",
        "address": "Ossa, Poland",
        "city": "Ossa",
        "country": "Poland",
        "latitude": 51.7,
        "longitude": 20.6,
    }
    assert {name: found.values[name] for name in expected} == expected
    assert (found.tags, found.notes) == (["python"], ())


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"online": True}, MeetingKind.HYBRID),
        ({"online": True, "city": None, "country": None}, MeetingKind.ONLINE),
        ({"online": False}, MeetingKind.ONSITE),
    ],
)
def test_where_people_meet(changes: dict[str, object], kind: MeetingKind) -> None:
    found = made(**changes)
    assert found.values["meeting_kind"] == kind
    assert (found.values["online_url"] is None) == (kind == MeetingKind.ONSITE)


@pytest.mark.parametrize(
    ("changes", "field", "value", "note"),
    [
        ({"name": "WE"}, "title", "WE Ossa", "name: is too short"),
        ({"name": "WE", "city": None}, "title", "WE 2019", "name: is too short"),
        ({"name": "word " * 13}, "title", "word " * 11 + "word…", "name: is too long"),
        ({"name": "word " * 13}, "description", ("word " * 13).strip(), "name: is too long"),
        ({"name": "x" * 61}, "title", "x" * 59 + "…", "name: is too long"),
        ({"timezone": None}, "starts_at", datetime(2019, 8, 29, tzinfo=UTC), "timezone: is not given"),
        ({"url": "https://x.org/a b"}, "url", "https://x.org/a%20b", "url: holds spaces"),
        ({"speakers": 3}, "title", "PyCon PL", "speakers: is not a field that is imported"),
    ],
)
def test_what_had_to_be_decided_is_noted(changes: dict[str, object], field: str, value: object, note: str) -> None:
    found = made(**changes)
    assert found.values[field] == value
    assert [each for each in found.notes if each.startswith(note)]


def test_languages_are_kept_in_the_description() -> None:
    assert made(locales="EN,PL", description="Come!").values["description"] == "Come!\n\nLanguages: EN, PL"


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": None}, "name", "is required"),
        ({"name": "   "}, "name", "must not be blank"),
        ({"name": 5}, "name", "must be a text, not a whole number"),
        ({"name": "a\x00b"}, "name", "U+0000"),
        ({"name": "x" * 501}, "name", "must have at most 500 characters"),
        ({"start_date": "2019-02-30"}, "start_date", "must be a day in ISO 8601"),
        ({"start_date": "next week"}, "start_date", "must be a day in ISO 8601"),
        ({"start_date": "9999-12-31", "end_date": None}, "start_date", "within the years"),
        ({"end_date": "2019-08-27"}, "end_date", "must be after"),
        ({"end_date": "2019-10-29"}, "end_date", "within 30 days"),
        ({"timezone": "Europe/Nowhere"}, "timezone", "IANA"),
        ({"timezone": "../../etc/passwd"}, "timezone", "IANA"),
        ({"url": "javascript:alert(1)"}, "url", "must have a form such as"),
        ({"online": True, "city": None, "url": None}, "url", "an ONLINE event needs"),
        ({"latitude": 91}, "latitude", "must be at most 90"),
        ({"longitude": None}, "latitude", "together"),
        ({"topics": ["a"] * 6}, "topics", "must have at most 5 entries"),
        ({"topics": ["a", "x" * 31]}, "topics[1]", "must have at most 30 characters"),
        ({"description": "x" * 5001}, "description", "must have at most 5000 characters"),
        ({"city": " "}, "city", "must not begin with a blank"),
    ],
)
def test_a_broken_row_is_refused_by_its_own_field(changes: dict[str, object], field: str, says: str) -> None:
    with pytest.raises(Refused) as refusal:
        made(**changes)
    found = {problem.path: problem.message for problem in refusal.value.problems}
    assert says in found[field]


def test_the_source_tells_events_apart_and_the_digest_what_changed() -> None:
    first = made()
    assert made(name=" PyCon  PL ").source_id == first.source_id, "spaces do not count"
    assert made(url="https://other.org").source_id == first.source_id
    assert made(url="https://other.org").digest != first.digest
    assert made(topics=["java"]).digest != first.digest
    assert made().digest == first.digest
    others = [made(name="PyCon US"), made(city="Warsaw"), made(start_date="2019-08-30"), made(id="17")]
    assert len({each.source_id for each in (first, *others)}) == 5
    assert made(id="17", name="Renamed", start_date="2019-08-30").source_id == made(id="17").source_id
