"""Calendars: what an event says becomes a row, and a broken one costs itself alone."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from muster.events.importing.formats import read_rows
from muster.events.importing.records import Arrival
from muster.events.importing.rows import LONGEST_LINE
from muster.events.importing.tests.support import become
from muster.events.tables import MeetingKind

GOOD = "BEGIN:VEVENT\r\nUID:{0}\r\nSUMMARY:Good {0}\r\nDTSTART:20310501T170000Z\r\nEND:VEVENT\r\n"
WARSAW = ZoneInfo("Europe/Warsaw")


def event(*lines: str, name: str = "Chess") -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1", f"SUMMARY:{name}", *lines, "END:VEVENT", ""])


def read(folder: Path, text: str) -> list[Arrival | str]:
    """What becomes of each event of a calendar: it comes in, or why not."""
    file = folder / "club.ics"
    file.write_bytes(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{text}END:VCALENDAR\r\n".encode("utf-8", "surrogateescape"))
    return become(file)


def only(folder: Path, text: str) -> Arrival:
    [found] = read(folder, text)
    assert isinstance(found, Arrival), found
    return found


@pytest.mark.parametrize(
    ("when", "starts", "ends", "zone"),
    [
        (("DTSTART:20310501T170000Z", "DTEND:20310501T190000Z"), (1, 17, 0), (1, 19, 0), "UTC"),
        (("DTSTART;TZID=Europe/Warsaw:20310501T190000", "DURATION:PT90M"), (1, 19, 0), (1, 20, 30), "Europe/Warsaw"),
        (("DTSTART;TZID=Central European Standard Time:20310501T190000",), (1, 19, 0), (1, 21, 0), "Europe/Warsaw"),
        (("DTSTART;TZID=/example.org/2025/Europe/Warsaw:20310501T190000",), (1, 19, 0), (1, 21, 0), "Europe/Warsaw"),
        (("DTSTART:20310501T190000",), (1, 19, 0), (1, 21, 0), "UTC"),
        (("DTSTART;VALUE=DATE:20310501", "DTEND;VALUE=DATE:20310503"), (1, 0, 0), (3, 0, 0), "UTC"),
        (("DTSTART;VALUE=DATE:20310501",), (1, 0, 0), (2, 0, 0), "UTC"),
    ],
)
def test_when_it_is(
    when: tuple[str, ...], starts: tuple[int, int, int], ends: tuple[int, int, int], zone: str, tmp_path: Path
) -> None:
    found = only(tmp_path, event(*when)).values
    assert (found["starts_at"], found["ends_at"], found["timezone"]) == (
        datetime(2031, 5, *starts, tzinfo=ZoneInfo(zone)),
        datetime(2031, 5, *ends, tzinfo=ZoneInfo(zone)),
        zone,
    )


@pytest.mark.parametrize("when", ["DTSTART:20310501T170000Z", "DTSTART:20310501T190000"])
def test_a_calendar_may_have_a_zone(when: str, tmp_path: Path) -> None:
    found = only(tmp_path, "X-WR-TIMEZONE:Europe/Warsaw\r\n" + event(when)).values
    assert (found["starts_at"], found["timezone"]) == (datetime(2031, 5, 1, 19, tzinfo=WARSAW), "Europe/Warsaw")


def test_what_it_says(tmp_path: Path) -> None:
    about = (
        "DESCRIPTION:Two\\nlines\\, really",
        "URL:https://x.org",
        "CATEGORIES:Chess,Go",
        "CATEGORIES:Chess,a,b,c,d",
    )
    place = ("LOCATION:Hall 1\\, Kraków", "GEO:50.1;20.1", "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM")
    found = only(tmp_path, event("DTSTART:20310501T170000Z", *about, *place, "RRULE:FREQ=DAILY"))
    expected = {
        "title": "Chess",
        "description": "Two\nlines, really",
        "url": "https://x.org",
        "address": "Hall 1, Kraków",
        "latitude": 50.1,
        "longitude": 20.1,
        "meeting_kind": MeetingKind.ONSITE,
    }
    assert {name: found.values[name] for name in expected} == expected
    assert found.tags == ["chess", "go", "a", "b", "c"]
    assert [each for each in found.notes if each.startswith("rrule: only the first time")]


def test_an_address_on_the_web_is_online(tmp_path: Path) -> None:
    found = only(tmp_path, event("DTSTART:20310501T170000Z", "LOCATION:https://meet.example.org")).values
    assert (found["meeting_kind"], found["online_url"]) == (MeetingKind.ONLINE, "https://meet.example.org")


def test_a_moved_occurrence_is_an_event_of_its_own(tmp_path: Path) -> None:
    moved = event("DTSTART:20310508T180000Z", "RECURRENCE-ID:20310508T170000Z")
    first, second = read(tmp_path, event("DTSTART:20310501T170000Z", "RRULE:FREQ=WEEKLY") + moved)
    assert isinstance(first, Arrival)
    assert isinstance(second, Arrival)
    assert first.source_id != second.source_id


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("BEGIN:VEVENT\r\nSUMMARY:Never ended\r\n", "is not ended before"),
        (event(), "No DTSTART"),
        (event("DTSTART:soon"), "soon"),
        (event("DTSTART;TZID=Nowhere/Else:20310501T190000"), "IANA"),
        (event("DTSTART:20310501T190000Z", "DTEND;VALUE=DATE:20310502"), "same type"),
        (event("DTSTART:20310501T190000Z", "DTSTART:20310501T190000Z"), "twice"),
        (event("DTSTART:20310501T190000Z", "GEO:here"), "float;float"),
        (event("DTSTART:99991231T190000Z", "DURATION:P99999999D"), "out of range"),
        (event("DTSTART:20310501T190000Z", "STATUS:CANCELLED"), "is cancelled"),
        (event("DTSTART:20310501T190000Z", "no line at all"), "no line at all"),
        (event("DTSTART:20310501T190000Z", "X-A:" + "x" * LONGEST_LINE), "is longer than"),
        (event("DTSTART:20310501T190000Z", "BEGIN:VALARM"), "is not an event"),
        (event("DTSTART:20310501T190000Z", name=""), "is required"),
        (event("DTSTART:20310501T190000Z", *["BEGIN:VALARM"] * 3000), "is not an event"),
        (event("DTSTART:20310501T190000Z", "RRULE:FREQ=DAILY;COUNT=" + "9" * 5000), "is not an event"),
        (event("DTSTART:20310501T190000Z", "DURATION:P" + "9" * 5000 + "D"), "is not an event"),
        (event("DTSTART;TZID=../../../etc/localtime:20310501T190000"), "IANA"),
        (event("DTSTART:20310501T190000Z", "GEO:nan;inf"), "is not an event"),
    ],
)
def test_a_broken_event_costs_no_good_one(broken: str, says: str, tmp_path: Path) -> None:
    first, refused, last = read(tmp_path, GOOD.format(1) + broken + GOOD.format(2))
    assert [each.values["title"] for each in (first, last) if isinstance(each, Arrival)] == ["Good 1", "Good 2"]
    assert says in str(refused)


def test_a_calendar_that_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "club.ics"
    file.write_text("BEGIN:VCALENDAR\n" + GOOD.format(1) + "BEGIN:VEVENT\nSUMMARY:Cut\n")
    first, cut = read_rows(file)
    assert (first.problem, cut.problem) == (None, "is not ended")
    assert file.read_bytes()[cut.start : cut.end] == b"BEGIN:VEVENT\nSUMMARY:Cut\n"
