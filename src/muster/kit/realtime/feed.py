"""The feed of one tenant: reads its facts in the order of their positions and hands them to its streams."""

import asyncio
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from contextlib import ExitStack
from uuid import UUID

import structlog

from muster.kit.db.database import Database
from muster.kit.db.failures import as_client_error
from muster.kit.errors import AppError
from muster.kit.metrics import DELIVERIES
from muster.kit.realtime.delivery import Delivery
from muster.kit.realtime.reading import PlacedFact, facts_of_tenant, facts_of_topic, newest_position
from muster.kit.realtime.signals import Signal, written
from muster.kit.realtime.stream import CursorOfNoUse, Outcome, Stream
from muster.kit.tracing.switch import follow
from muster.kit.waiting import set_within

log = structlog.get_logger()

_BATCH = 200
# Facts of one topic that are handed out together where they wait, so that each socket is written to once for all of them.
_TOGETHER = 8
# Of one statement: the first of a large audience hear while PostgreSQL still asks about the last.
_VIEWERS = 250
# Notifications may be lost with a connection; this is how late a fact is then.
_POLL_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_LONGEST_GAP = 10_000


class StreamFailed(AppError):
    """Something went wrong on our side; subscribe again with the cursor of the last element you have."""


class Feed:
    """All streams of one tenant in this process, and the position up to which they were served."""

    def __init__(self, database: Database, delivery: Delivery, tenant_id: UUID, position: int) -> None:
        """position: facts up to here happened before the feed began."""
        self.position = position
        self._database = database
        self._delivery = delivery
        self._tenant_id = tenant_id
        self._topics: dict[UUID, dict[Hashable, set[Stream]]] = {}
        self._news = asyncio.Event()
        self._lapsing: dict[Hashable, asyncio.TimerHandle] = {}

    @property
    def size(self) -> int:
        """How many streams are open: those whose right was asked."""
        audiences = (audience for selections in self._topics.values() for audience in selections.values())
        return sum(stream.is_admitted for audience in audiences for stream in audience)

    @property
    def is_empty(self) -> bool:
        """Whether nobody follows."""
        return not self._topics

    def wake(self) -> None:
        """Say that there may be facts behind the feed's position."""
        self._news.set()

    def add(self, stream: Stream, *, after: int | None) -> None:
        """Serve a stream from now on.

        after: the position it has seen; the caller then runs `catch_up`, and facts that happen meanwhile are kept.
        """
        if after is None:
            stream.start(self.position)
        else:
            stream.start_catching_up(after)
        self._topics.setdefault(stream.topic_id, {}).setdefault(stream.selection, set()).add(stream)

    def remove(self, stream: Stream) -> None:
        """Serve a stream no more."""
        selections = self._topics.get(stream.topic_id, {})
        audience = selections.get(stream.selection, set())
        audience.discard(stream)
        if not audience:
            selections.pop(stream.selection, None)
        if not selections:
            self._topics.pop(stream.topic_id, None)

    def tell(self, name: str, topic_id: UUID, signal: Signal) -> None:
        """Tell a signal to those who follow `name` about a topic, and later what it has lapsed to.

        Whoever has no room for it misses it: the next one tells them more than an old one would.
        """
        told = False
        for audience in self._topics.get(topic_id, {}).values():
            request = next(iter(audience)).request
            if request.subscription.name == name:
                element = written(signal, request)
                hearers = [each for each in audience if each.is_admitted and each.claim.user_id != signal.user_id]
                _count([element for each in hearers if each.hand_out(element)])
                told = True
        lapsing, key = signal.lapsed(), (name, topic_id, signal.user_id)
        if (timer := self._lapsing.pop(key, None)) is not None:
            timer.cancel()
        if told and lapsing is not None:
            self._lapsing[key] = asyncio.get_running_loop().call_later(
                signal.seconds, self.tell, name, topic_id, lapsing
            )

    def end(self, error: AppError) -> None:
        """End every stream."""
        for stream in self._streams():
            stream.end(error)

    async def run(self) -> None:
        """Serve the streams until cancelled. While the database is away, nothing is lost: positions wait."""
        while True:
            self._news.clear()
            try:
                more = await self._read_on()
            except Exception as error:
                if as_client_error(error) is None:
                    log.exception("feed.failed", tenant_id=str(self._tenant_id))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                await set_within(self._news, 0 if more else _POLL_SECONDS)

    async def catch_up(self, stream: Stream) -> None:
        """Bring a stream from where it stands to the present, then let it go live without a gap or a repeat."""
        try:
            await self._replay(stream)
            for fact in stream.kept():
                await stream.has_room()
                await self._hand_to([fact], [stream])
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream tells its client
            stream.end(self._told(error))

    async def _read_on(self) -> bool:
        """Serve one batch of facts; answers whether there may be more."""
        facts = await facts_of_tenant(self._database, self._tenant_id, after=self.position, limit=_BATCH)
        by_topic: dict[UUID, list[PlacedFact]] = {}
        for fact in facts:
            by_topic.setdefault(fact.aggregate_id, []).append(fact)
        # Order matters within a topic only: a stream has one.
        await asyncio.gather(*(self._serve(topic, by_topic[topic]) for topic in by_topic.keys() & self._topics.keys()))
        if facts:
            self.position = facts[-1].position
        return len(facts) == _BATCH

    async def _serve(self, topic_id: UUID, facts: Sequence[PlacedFact]) -> None:
        for start in range(0, len(facts), _TOGETHER):
            some = facts[start : start + _TOGETHER]
            for audience in list(self._topics.get(topic_id, {}).values()):
                for due, streams in _due(some, audience):
                    await self._deliver(due, streams)
            for fact in some:
                await self._ask_again(topic_id, fact)

    async def _deliver(self, facts: Sequence[PlacedFact], streams: Sequence[Stream]) -> None:
        """Hand out facts that have just happened, each as a step of the trace that led to it."""
        name = f"deliver {streams[0].request.subscription.name}"
        with ExitStack() as steps:
            for fact in facts:
                steps.enter_context(follow(fact.trace, name, {"muster.streams": len(streams)}, kind="producer"))
            await self._hand_to(facts, streams)

    async def _ask_again(self, topic_id: UUID, fact: PlacedFact) -> None:
        """End the streams that a fact leaves without the right to follow its topic."""
        doubted: dict[str, list[Stream]] = {}
        for audience in self._topics.get(topic_id, {}).values():
            for stream in audience:
                if stream.is_doubted_by(fact):
                    doubted.setdefault(stream.request.subscription.name, []).append(stream)
        for streams in doubted.values():
            outcomes: list[AppError | None]
            try:
                outcomes = await self._delivery.standings(streams)
            except Exception as error:  # noqa: BLE001 - whatever it is, the streams tell their clients
                outcomes = [self._told(error)] * len(streams)
            for stream, refusal in zip(streams, outcomes, strict=True):
                if refusal is not None:
                    stream.end(refusal)

    async def _hand_to(self, facts: Sequence[PlacedFact], streams: Sequence[Stream]) -> None:
        """Give the elements of facts to the streams of one selection."""
        starts = range(0, len(streams), _VIEWERS)
        await asyncio.gather(*(self._hand_to_some(facts, streams[start : start + _VIEWERS]) for start in starts))

    async def _hand_to_some(self, facts: Sequence[PlacedFact], streams: Sequence[Stream]) -> None:
        outcomes = await asyncio.gather(*(self._outcomes(fact, streams) for fact in facts))
        positions = [fact.position for fact in facts]
        for stream, theirs in zip(streams, zip(*outcomes, strict=True), strict=True):
            stream.take(zip(positions, theirs, strict=True))

    async def _outcomes(self, fact: PlacedFact, streams: Sequence[Stream]) -> Sequence[Outcome]:
        """What a fact comes to for each stream. A failure ends them: they resume with their cursor."""
        outcomes: Sequence[Outcome]
        try:
            outcomes = await self._delivery.elements(fact, streams)
        except Exception as error:  # noqa: BLE001 - whatever it is, the streams tell their clients
            outcomes = [self._told(error)] * len(streams)
        _count(outcomes)
        return outcomes

    def _told(self, error: Exception) -> AppError:
        known = as_client_error(error)
        if known is None:
            log.error("feed.delivery_failed", tenant_id=str(self._tenant_id), exc_info=error)
        return known or StreamFailed()

    async def _replay(self, stream: Stream) -> None:
        """Hand out what a stream has missed, up to the present. Ends it when that is too much or its cursor is ahead."""
        if stream.position > max(self.position, await newest_position(self._database, self._tenant_id)):
            stream.end(
                CursorOfNoUse("The cursor is ahead of everything here; read the list again, subscribe without `after`.")
            )
        kinds = {fact.kind for fact in stream.request.subscription.facts}
        replayed, more = 0, True
        while more and not stream.ended:
            facts = await facts_of_topic(
                self._database, self._tenant_id, stream.topic_id, kinds, after=stream.position, limit=_BATCH
            )
            for fact in facts:
                await stream.has_room()
                if stream.wants(fact):
                    await self._hand_to([fact], [stream])
            replayed, more = replayed + len(facts), len(facts) == _BATCH
            if replayed >= _LONGEST_GAP:
                stream.end(
                    CursorOfNoUse("The gap is too long to replay; read the list again, subscribe without `after`.")
                )

    def _streams(self) -> list[Stream]:
        return [
            stream
            for selections in self._topics.values()
            for audience in selections.values()
            for stream in audience
            if not stream.ended
        ]


def _due(facts: Sequence[PlacedFact], audience: Iterable[Stream]) -> list[tuple[list[PlacedFact], list[Stream]]]:
    """Which facts are due to which streams of an audience, who want the same kinds and differ in where they stand.

    Asked before anything is awaited: a stream that goes live meanwhile has these facts in its backlog.
    """
    due: dict[int, tuple[list[PlacedFact], list[Stream]]] = {}
    for stream in audience:
        live = [fact for fact in facts if stream.wants(fact) and not stream.keeps(fact)]
        if live:
            # Where they stand says what they have had: so the first fact says which others.
            due.setdefault(live[0].position, (live, []))[1].append(stream)
    return list(due.values())


def _count(outcomes: Sequence[Outcome]) -> None:
    told = Counter(
        "unseen" if outcome is None else "ended" if isinstance(outcome, AppError) else "delivered"
        for outcome in outcomes
    )
    for outcome, times in told.items():
        DELIVERIES.labels(outcome).inc(times)
