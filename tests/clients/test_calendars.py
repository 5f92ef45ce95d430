"""Calendars as ical.js reads them, the parser of Thunderbird: the same moments around every change of clocks, and the same
occurrences of every rule.
"""

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from muster.events.calendar.reading import Entry
from muster.events.calendar.writing import written
from muster.events.series.rules import occurrences
from muster.events.series.tests.test_rules import random_recurrences
from muster.events.tables import EventStatus
from tests.clients.tools import Tools

CALENDARS = Path(__file__).parent / "calendars"
# Changes of both hemispheres, one of half an hour, and a zone that has none.
CHANGES = [
    ("Europe/Warsaw", "2031-03-30T01:00"),
    ("Europe/Warsaw", "2031-10-26T01:00"),
    ("Australia/Sydney", "2031-04-05T16:00"),
    ("Australia/Lord_Howe", "2031-10-04T15:30"),
    ("America/New_York", "2031-03-09T07:00"),
    ("America/Santiago", "2031-09-07T04:00"),
    ("Asia/Kolkata", "2031-06-01T00:00"),
    ("UTC", "2031-06-01T00:00"),
]


def _entry(timezone: str, starts_at: datetime) -> Entry:
    return Entry(
        id=uuid4(),
        title=f"Chess, {timezone}; \\ as ever",
        description="Bring a board.\nÜber alles reden wir später. " * 9,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=90),
        timezone=timezone,
        online_url=None,
        address=None,
        city=None,
        country=None,
        latitude=None,
        longitude=None,
        status=EventStatus.PUBLISHED,
        created_at=starts_at,
        updated_at=starts_at,
        version=1,
    )


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}"


async def test_a_parser_in_javascript_reads_the_same(tools: Tools) -> None:
    entries = [
        _entry(zone, datetime.fromisoformat(change).replace(tzinfo=UTC) + timedelta(minutes=minutes))
        for zone, change in CHANGES
        for minutes in range(-180, 181, 30)
    ]
    generated = random_recurrences(random.Random(5545))
    series = list(islice(generated, 500))
    asked, expected = [], []
    for each in series:
        zone = ZoneInfo(each.timezone)
        ours = list(islice(occurrences(each, each.starts_at + timedelta(days=1500)), 12))
        expected.append([_local(moment, zone) for moment in ours])
        off, added = ([_local(moment, zone) for moment in moments] for moments in (each.excluded, each.added))
        start = _local(each.starts_at, zone)
        asked.append({"rule": each.rule, "start": start, "off": off, "added": added, "number": len(ours)})
    with tools.copy(CALENDARS) as folder:
        (folder / "calendar.ics").write_bytes(written(entries, name="Chess", app="https://muster.example"))
        (folder / "series.json").write_text(json.dumps(asked))
        told = json.loads(await tools.run(folder, "node", "read.mjs"))
    assert told["series"] == expected
    read = {uid: (title, *map(datetime.fromisoformat, times)) for uid, title, *times in told["events"]}
    assert read == {str(each.id): (each.title, each.starts_at, each.ends_at) for each in entries}
