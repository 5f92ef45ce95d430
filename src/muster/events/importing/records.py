"""What a row says, made into what creating an event takes, under the same rules. What had to be decided is a note."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from muster.events import rules
from muster.events.commands.inputs import ClockTime, CreateEventInput
from muster.events.importing.rows import Row
from muster.events.tables import MeetingKind
from muster.kit.arguments import read_struct
from muster.kit.errors import BadInput, FieldProblem, Invalid
from muster.kit.markdown import as_html
from muster.kit.places import is_timezone

LONGEST_TITLE = 60
SHORTEST_TITLE = 3
YEARS = range(1900, 2200)


SAID = (
    *("title", "description", "starts_at", "ends_at", "timezone", "meeting_kind", "url", "online_url"),
    *("address", "city", "country", "latitude", "longitude"),
)
"""What a row says of its event beside its tags; the rest is for people here to decide."""

STORED = (*SAID, "has_city_point")
"""The columns that a row is kept in."""


_USUAL_LENGTH = timedelta(hours=2)
"""Of an event whose row says when it starts, and not when it ends."""


class Record(msgspec.Struct, kw_only=True):
    """A row by the names of its fields.

    id: what the source calls the event; without one it is known by name, first day and city. locales: the languages
    it is held in. Without times the days are whole ones at the place. rrule: that it comes again, which is only noted.
    """

    name: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]
    start_date: date
    start_time: ClockTime | None = None
    end_date: date | None = None
    end_time: ClockTime | None = None
    timezone: str | None = None
    url: str | None = None
    online: bool = False
    description: str = ""
    address: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    topics: list[str] = []
    locales: str | None = None
    rrule: str | None = None
    id: Annotated[str, Meta(min_length=1, max_length=200)] | None = None

    @property
    def whole_name(self) -> str:
        """The name with single spaces."""
        return " ".join(self.name.split())

    @property
    def last_day(self) -> date:
        """The day it ends on."""
        return self.end_date or self.start_date

    @property
    def source_id(self) -> str:
        """What tells this event from all others of its source, run after run."""
        words = [self.id] if self.id else [self.name, self.start_date.isoformat(), self.city or ""]
        return _hash("\n".join(" ".join(word.split()) for word in words).encode())


@dataclass(frozen=True)
class Arrival:
    """A row that may come in.

    digest: differs when the row does. values: the columns of the event. notes: what had to be decided.
    """

    row: Row
    source_id: str
    digest: str
    values: dict[str, object]
    tags: list[str]
    notes: tuple[str, ...]


class Refused(Exception):
    """A row that may not come in. problems: each with the row's own name of the field."""

    def __init__(self, *problems: FieldProblem) -> None:
        self.problems = problems
        super().__init__(*problems)


def arrival(row: Row) -> Arrival:
    """A row, checked by every rule of a new event but two: it may lie in the past, and its place may lack a point.

    Raises Refused with every problem found.
    """
    if row.fields is None:
        raise Refused(FieldProblem("", "UNREADABLE", row.problem or "cannot be read"))
    try:
        record = read_struct(row.fields, Record, from_text=row.is_text)
        notes: list[str] = []
        draft = _checked(_as_input(record, notes), notes)
    except (Invalid, BadInput) as error:
        raise Refused(*map(_in_words_of_the_row, error.fields)) from None
    unknown = sorted(row.fields.keys() - set(Record.__struct_fields__))
    notes += [f"{name}: is not a field that is imported" for name in unknown]
    least, most = rules.capacity(rules.draft_of(draft))
    values = {name: getattr(draft, name) for name in (*SAID, "join_mode", "mode", "visibility")}
    values |= {"min": least, "max": most, "description_html": as_html(draft.description)}
    digest = _hash(msgspec.json.encode([values, draft.tags], order="deterministic"))
    tags = list(dict.fromkeys(tag.lower() for tag in draft.tags))
    return Arrival(row, record.source_id, digest, values, tags, tuple(notes))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _checked(raw: dict[str, object], notes: list[str]) -> CreateEventInput:
    draft = read_struct(raw, CreateEventInput)
    problems = rules.draft_problems(rules.draft_of(draft))
    if rules.NEEDS_POINT in problems:
        problems.remove(rules.NEEDS_POINT)
    if problems:
        raise Invalid(fields=tuple(FieldProblem(each.field, "INVALID", each.message) for each in problems))
    return draft


def _as_input(record: Record, notes: list[str]) -> dict[str, object]:
    """The row in the words of a client that creates an event."""
    for name, day in (("start_date", record.start_date), ("end_date", record.last_day)):
        if day.year not in YEARS:
            raise Invalid.field(name, f"must be within the years {YEARS.start} and {YEARS.stop - 1}")
    zone = _zone(record.timezone, notes)
    starts_at, ends_at = _times(record, zone, notes)
    kind = MeetingKind.ONSITE
    if record.online:
        kind = MeetingKind.HYBRID if record.city or record.address else MeetingKind.ONLINE
    if record.rrule is not None:
        notes.append("rrule: only the first time comes in; let it come again here")
    url = _url(record.url, notes)
    place = ", ".join(filter(None, (record.city, record.country)))
    title = _title(record, notes)
    described = (
        record.whole_name if len(record.whole_name) > LONGEST_TITLE else "",
        record.description,
        _languages(record),
    )
    given = {
        "title": title,
        "description": "\n\n".join(filter(None, described)),
        "startsAt": starts_at.isoformat(),
        "endsAt": ends_at.isoformat(),
        "timezone": zone.key,
        "meetingKind": kind.value,
        "url": url,
        "onlineUrl": url if record.online else None,
        "address": record.address or place or None,
        "city": record.city,
        "country": record.country,
        "latitude": record.latitude,
        "longitude": record.longitude,
        "tags": record.topics,
    }
    return {name: value for name, value in given.items() if value is not None}


def _times(record: Record, zone: ZoneInfo, notes: list[str]) -> tuple[datetime, datetime]:
    """When it starts and ends: by the clock where the row says so, else whole days."""
    if record.start_time is None:
        if record.end_time is not None:
            raise Invalid.field("end_time", "needs start_time beside it")
        after = record.last_day + timedelta(days=1)
        return datetime.combine(record.start_date, time(), zone), datetime.combine(after, time(), zone)
    starts_at = datetime.combine(record.start_date, time.fromisoformat(record.start_time), zone)
    if record.end_time is not None:
        return starts_at, datetime.combine(record.last_day, time.fromisoformat(record.end_time), zone)
    notes.append("end_time: is not given, so it ends two hours after it starts")
    return starts_at, (starts_at.astimezone(UTC) + _USUAL_LENGTH).astimezone(zone)


def _zone(name: str | None, notes: list[str]) -> ZoneInfo:
    if name is None:
        notes.append("timezone: is not given, so the days are those of UTC")
        return ZoneInfo("UTC")
    if not is_timezone(name):
        raise Invalid.field("timezone", "must be an IANA time zone such as Europe/Warsaw")
    return ZoneInfo(name)


def _url(url: str | None, notes: list[str]) -> str | None:
    if url is None or " " not in url:
        return url
    notes.append("url: holds spaces, which an address cannot; each is written as %20")
    return url.replace(" ", "%20")


def _title(record: Record, notes: list[str]) -> str:
    """The name within the length of a title. A longer one is cut at a word, a shorter one gets its city or year."""
    name = record.whole_name
    if len(name) < SHORTEST_TITLE:
        notes.append("name: is too short for a title, so the city or year is added")
        return f"{name} {record.city or record.start_date.year}"
    if len(name) <= LONGEST_TITLE:
        return name
    notes.append("name: is too long for a title; the whole of it begins the description")
    cut = name[:LONGEST_TITLE]
    return (cut[: cut.rfind(" ")] if " " in cut else cut[:-1]) + "…"


def _languages(record: Record) -> str:
    return f"Languages: {', '.join(record.locales.split(','))}" if record.locales else ""


_NAMES = {
    "title": "name",
    "startsAt": "start_date",
    "endsAt": "end_date",
    "onlineUrl": "url",
    "address": "city",
    "tags": "topics",
}


def _in_words_of_the_row(problem: FieldProblem) -> FieldProblem:
    """The problem under the name that the row has for the field."""
    head = problem.path.partition("[")[0]
    path = _NAMES.get(head, head) + problem.path[len(head) :]
    return FieldProblem(path, problem.code, problem.message)
