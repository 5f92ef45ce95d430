"""When something is, as a page tells it: on the clock of where it is, and no more than people need."""

import pytest

from muster.events.pages.times import span

EVENING = ("2031-06-06T16:00:00Z", "2031-06-06T19:00:00Z")
NIGHT = ("2031-06-06T20:00:00Z", "2031-06-07T01:30:00Z")
DAY = ("2031-06-05T22:00:00Z", "2031-06-06T22:00:00Z")
# The clock changes on the second of the three days.
DAYS = ("2031-03-28T23:00:00Z", "2031-03-31T22:00:00Z")


def as_told(moments: tuple[str, str], language: str) -> str:
    """A span in Warsaw, with a word for its dash."""
    return span(*moments, "Europe/Warsaw", language).replace("\N{EN DASH}", "to")


@pytest.mark.parametrize(
    ("moments", "language", "told"),
    [
        (EVENING, "en", "Friday, 6 June 2031, 18:00 to 21:00"),
        (EVENING, "de", "Freitag, 6. Juni 2031, 18:00 to 21:00"),
        (NIGHT, "en", "Friday, 6 June 2031, 22:00 to Saturday, 7 June 2031, 03:30"),
        (DAY, "en", "Friday, 6 June 2031"),
        (DAYS, "pl", "sobota, 29 marca 2031 to poniedziałek, 31 marca 2031"),
    ],
)
def test_a_span_is_told_on_the_clock_of_its_zone(moments: tuple[str, str], language: str, told: str) -> None:
    assert as_told(moments, language) == f"{told} (Europe/Warsaw)"


def test_what_takes_no_time_at_midnight_is_no_whole_day() -> None:
    at = "2031-06-05T22:00:00Z"
    assert as_told((at, at), "en") == "Friday, 6 June 2031, 00:00 to 00:00 (Europe/Warsaw)"
