"""When something is, as people read it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from muster.kit.words import LANGUAGES

_TO = " \N{EN DASH} "


def span(starts_at: str, ends_at: str, zone: str, language: str) -> str:
    """From when to when something is, on the clock of a zone; the day once where it is the same. Moments: in ISO 8601."""
    begins, ends = (datetime.fromisoformat(each).astimezone(ZoneInfo(zone)) for each in (starts_at, ends_at))
    last = _time(ends, language) if begins.date() == ends.date() else _moment(ends, language)
    return f"{_moment(begins, language)}{_TO}{last} ({zone})"


def _moment(moment: datetime, language: str) -> str:
    return f"{format_date(moment, 'full', LANGUAGES[language])}, {_time(moment, language)}"


def _time(moment: datetime, language: str) -> str:
    return format_time(moment, "short", locale=LANGUAGES[language])
