"""The events of the demo: gatherings are made, published, joined and talked about by the commands themselves."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.events.commands import create_event, join, leave, publish, send_message
from muster.events.commands.inputs import CreateEventInput
from muster.events.demo.gatherings import CATEGORIES, ONLINE, Gathering
from muster.events.importing.batches import Import
from muster.events.importing.formats import read_rows
from muster.events.importing.rows import Row
from muster.events.tables import MeetingKind
from muster.events.topics.commands import CreateTopicInput, TopicName, create_topic
from muster.events.topics.tables import TopicKind
from muster.kit.commands.context import Ctx
from muster.kit.commands.staging import Stage

CONFERENCES = Path(__file__).with_name("demo") / "conferences.jsonl"
SOURCE = "tech-conferences"
_ZONE = ZoneInfo("Europe/Warsaw")
_WEEK = timedelta(days=7)
_JOINED_BY_EACH = 10


@dataclass(frozen=True)
class Cast:
    """Who plays. people: ids by key. now: when the demo is loaded; everything told happened before it."""

    stage: Stage
    people: Mapping[str, UUID]
    now: datetime

    def act(self, verb: str, key: str, ago: timedelta) -> AbstractAsyncContextManager[Ctx]:
        """One act of somebody, some time ago."""
        return self.stage.act(verb, self.people[key], self.now - ago)


async def name_categories(cast: Cast, owner: str) -> None:
    """Make the categories that gatherings are sorted into."""
    for slug, names in CATEGORIES.items():
        named = [TopicName(language, name) for language, name in zip(("en", "de", "pl"), names, strict=True)]
        async with cast.act("createTopic", owner, timedelta(days=12)) as ctx:
            await create_topic(ctx, input=CreateTopicInput(TopicKind.CATEGORY, slug, named))


async def gather(cast: Cast, gatherings: Sequence[Gathering]) -> None:
    """Play the story of each gathering, from its draft a week ago to what was said today."""
    for gathering in gatherings:
        event_id = await _announce(cast, gathering)
        for number, guest in enumerate(gathering.guests):
            async with cast.act("joinEvent", guest, timedelta(days=6) - timedelta(hours=7 * number)) as ctx:
                await join(ctx, event_id=event_id)
        for guest in gathering.gone:
            async with cast.act("leaveEvent", guest, timedelta(hours=20)) as ctx:
                await leave(ctx, event_id=event_id)
        for number, (who, what) in enumerate(gathering.said):
            async with cast.act("sendEventMessage", who, timedelta(hours=18) - timedelta(minutes=47 * number)) as ctx:
                await send_message(ctx, event_id=event_id, content=what)


async def _announce(cast: Cast, gathering: Gathering) -> UUID:
    day = (cast.now.astimezone(_ZONE) + gathering.ahead).date()
    starts_at = datetime.combine(day, time(18), _ZONE)
    place = gathering.place
    draft = CreateEventInput(
        title=gathering.title,
        description=gathering.description,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=gathering.hours),
        timezone=_ZONE.key,
        meeting_kind=MeetingKind.ONLINE if place is ONLINE else MeetingKind.ONSITE,
        online_url="https://meet.example/pairs" if place is ONLINE else None,
        address=place.address,
        city=place.city,
        country=place.country,
        latitude=place.latitude,
        longitude=place.longitude,
        max=gathering.max,
        tags=list(gathering.tags),
        categories=[] if gathering.category is None else [gathering.category],
    )
    async with cast.act("createEvent", gathering.host, timedelta(days=7)) as ctx:
        event_id = (await create_event(ctx, input=draft)).row_id
    async with cast.act("publishEvent", gathering.host, timedelta(days=7)) as ctx:
        await publish(ctx, id=event_id)
    return event_id


async def bring_in_conferences(cast: Cast, owner: str) -> list[UUID]:
    """Import the conferences, all of them ahead; answers with their ids."""
    found: list[UUID] = []
    run = Import(lambda: cast.act("import events", owner, timedelta(days=10)), cast.people[owner], SOURCE)
    async for results in run.run(_ahead(read_rows(CONFERENCES), cast.now.date())):
        found += [each.event_id for each in results if each.event_id is not None]
    return found


def _ahead(rows: Iterator[Row], today: date) -> Iterator[Row]:
    """The rows moved by whole weeks, so that weekdays stay, and the first one starts next week."""
    known = list(rows)
    first = min(date.fromisoformat(str(row.fields["start_date"])) for row in known if row.fields)
    moved = math.ceil((today + _WEEK - first) / _WEEK) * _WEEK
    for row in known:
        fields = dict(row.fields or {})
        for name in ("start_date", "end_date"):
            fields[name] = (date.fromisoformat(str(fields[name])) + moved).isoformat()
        yield replace(row, fields=fields)


async def go_to_conferences(cast: Cast, visitors: Sequence[str], event_ids: Sequence[UUID]) -> None:
    """Let each visitor join some; who goes where is the same every time."""
    chance = random.Random("where people go")
    for visitor in visitors:
        for event_id in chance.sample(event_ids, _JOINED_BY_EACH):
            async with cast.act("joinEvent", visitor, timedelta(minutes=chance.randrange(60, 9 * 24 * 60))) as ctx:
                await join(ctx, event_id=event_id)
