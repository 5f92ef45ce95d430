"""Deprecation: what is still there, what to use instead, and until when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime


@dataclass(frozen=True)
class Deprecation:
    """Said of something that clients should leave. A TypeError, at import, for one that is not whole.

    instead: what to use, as a sentence. since: the day on which it was said. sunset: the day on which it may go, if known.
    """

    instead: str
    since: date
    sunset: date | None = None

    def __post_init__(self) -> None:
        if not self.instead.strip():
            raise TypeError("a deprecation says what to use instead")
        if self.sunset is not None and self.sunset <= self.since:
            raise TypeError("what is deprecated goes only after that was said")

    @property
    def reason(self) -> str:
        """For people: what to use instead, and until when they have to."""
        return self.instead if self.sunset is None else f"{self.instead} It may go on {self.sunset.isoformat()}."

    @property
    def headers(self) -> dict[str, str]:
        """For programs: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594)."""
        sunset = {} if self.sunset is None else {"sunset": format_datetime(_midnight(self.sunset), usegmt=True)}
        return {"deprecation": f"@{int(_midnight(self.since).timestamp())}", **sunset}


def reason_of(said: Deprecation | None) -> str | None:
    """Why clients should leave something; None for what they may keep to."""
    return None if said is None else said.reason


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
