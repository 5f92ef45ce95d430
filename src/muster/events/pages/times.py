"""When something is, as people read it."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from muster.kit.words import LANGUAGES

_TO = " \N{EN DASH} "


def span(starts_at: str, ends_at: str, zone: str, language: str) -> str:
    """From when to when something is, on the clock of a zone; the day once where it is the same, and days alone where it
    takes whole ones. Moments: in ISO 8601.
    """
    begins, ends = (datetime.fromisoformat(each).astimezone(ZoneInfo(zone)) for each in (starts_at, ends_at))
    if begins.time() == ends.time() == time.min and begins < ends:
        days = dict.fromkeys(_day(each, language) for each in (begins, ends - timedelta(days=1)))
        return f"{_TO.join(days)} ({zone})"
    last = _time(ends, language) if begins.date() == ends.date() else _moment(ends, language)
    return f"{_moment(begins, language)}{_TO}{last} ({zone})"


def _moment(moment: datetime, language: str) -> str:
    return f"{_day(moment, language)}, {_time(moment, language)}"


def _day(moment: datetime, language: str) -> str:
    return format_date(moment, "full", LANGUAGES[language])


def _time(moment: datetime, language: str) -> str:
    return format_time(moment, "short", locale=LANGUAGES[language])
