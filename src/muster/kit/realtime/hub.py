"""The hub: every stream of one process, and how it hears that facts have their positions.

The database says so on a connection of its own, and where there is a store, that says so too: whoever is heard first wakes
the feeds. What neither says is found by the poll of each feed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import UUID

import msgspec
import structlog

from muster.kit.caller import Claim, Gate, Origin
from muster.kit.db.channels import FACTS, RIGHTS
from muster.kit.db.database import Database, connect
from muster.kit.db.failures import as_client_error
from muster.kit.errors import Unauthenticated, Unavailable
from muster.kit.metrics import STREAMS
from muster.kit.realtime.cursors import read_position
from muster.kit.realtime.delivery import Delivery
from muster.kit.realtime.feed import Feed
from muster.kit.realtime.presence import OneProcess, Presences, SharedRegister
from muster.kit.realtime.reading import newest_position
from muster.kit.realtime.signals import Presence, Signal, SignalSubscription
from muster.kit.realtime.stream import Push, Stream, StreamRequest, Waiting
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.realtime.watch import Present, Watch
from muster.kit.store.names import facts_channel
from muster.kit.store.store import Store

log = structlog.get_logger()

_RECONNECT_SECONDS = 1.0


class _News(msgspec.Struct, frozen=True):
    """What the sequencer says. p: the highest position. t: whose facts; None when it may be anybody's."""

    p: int
    t: list[UUID] | None = None


_decode = msgspec.json.Decoder(_News).decode


class _Told(msgspec.Struct, frozen=True):
    """A signal on its way. name: of the subscription whose followers hear it. topic: what it is about."""

    name: str
    topic: UUID
    signal: msgspec.Raw


_decode_told = msgspec.json.Decoder(_Told).decode


class Hub:
    """Opens streams and keeps them served."""

    def __init__(self, database: Database, gate: Gate, url: str, store: Store | None = None) -> None:
        """url: where LISTEN works, past any transaction pooler.

        store: carries signals and wake-ups between processes.
        """
        self._database = database
        self._delivery = Delivery(database, gate)
        self._watch = Watch(self._delivery.refusals)
        self._url = url
        self._store = store
        self._presences = Presences(OneProcess() if store is None else SharedRegister(store, f"{store.prefix}here:"))
        self._feeds: dict[UUID, Feed] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._deaf: dict[UUID, Callable[[], None]] = {}

    @property
    def size(self) -> int:
        """How many streams are open."""
        return sum(feed.size for feed in self._feeds.values())

    def sessions(self) -> set[UUID]:
        """The sessions that have a socket or a stream open."""
        return self._watch.sessions()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of facts meanwhile; at the end every stream ends with Unavailable."""
        own = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch.run())]
        stop = None if self._store is None else self._store.listen(facts_channel(self._store.prefix), self._hear_store)
        try:
            yield
        finally:
            if stop is not None:
                stop()
            for feed in self._feeds.values():
                feed.end(Unavailable("This server is stopping; subscribe again with your last cursor."))
            tasks = [*own, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def open(
        self, request: StreamRequest, origin: Origin, waiting: Waiting | None = None, push: Push | None = None
    ) -> AsyncIterator[Stream]:
        """Follow a topic meanwhile.

        waiting: shared by the streams of one socket; None is a stream alone. push: sends what it can at once.

        Raises TenantNotFound, Unauthenticated, NotAMember, Denied or NotFound when the viewer may not, BadInput for an
        `after` that is no cursor of this stream.
        """
        stream = Stream(request, origin.claim, _topic_id(request, origin), waiting, push)
        after = None if request.after is None else read_position(request.after, stream.tag)
        async with AsyncExitStack() as stack:
            stack.enter_context(STREAMS.track_inprogress())
            stack.enter_context(self._watch.over(stream))
            tenant_id = origin.claim.tenant_id
            feed = await self._feed(tenant_id)
            # Before the right is first asked, so that no fact that ends it falls in between.
            feed.add(stream, after=after)
            stack.callback(self._remove, tenant_id, feed, stream)
            await self._delivery.admit(request.subscription, stream.topic_id, origin)
            stream.is_admitted = True
            if _tells_presence(request):
                stack.enter_context(self._presences.at(stream))
            if after is not None:
                catching_up = asyncio.create_task(feed.catch_up(stream))
                stack.callback(catching_up.cancel)
            yield stream

    @asynccontextmanager
    async def present(self, guest: Present) -> AsyncIterator[None]:
        """Have somebody here meanwhile, with a socket for instance; they are ended when they may not be any more.

        Raises TenantNotFound or Unauthenticated when they may not now.
        """
        with self._watch.over(guest):
            (refusal,) = await self._delivery.refusals([guest])
            if refusal is not None:
                raise refusal
            yield

    async def tell(self, name: str, topic_id: UUID, origin: Origin, signal: Callable[[UUID], Signal]) -> None:
        """Tell those who follow `name` about a topic, in every process, what `signal` makes of who tells it.

        Raises what following it would raise: who may follow may tell.
        """
        claim = origin.claim
        # Who follows it has the right, and loses it with the stream.
        if not any(_follows(each, name, topic_id, claim) for each in self._watch.present(claim.user_id)):
            await self._delivery.admit(SUBSCRIPTIONS[name], topic_id, origin)
        if claim.user_id is None:
            raise Unauthenticated
        body = msgspec.json.encode(_Told(name, topic_id, msgspec.Raw(msgspec.json.encode(signal(claim.user_id)))))
        if self._store is not None and self._store.is_there:
            # It comes back to this process, too. If it is lost, it is as if it had not been told.
            self._store.ask("PUBLISH", _channel(self._store, claim.tenant_id), body)
        else:
            self._hear_signal(claim.tenant_id, body)

    def _hear_signal(self, tenant_id: UUID, body: bytes | None) -> None:
        feed = self._feeds.get(tenant_id)
        if feed is None or body is None:
            return
        try:
            told = _decode_told(body)
            subscription = SUBSCRIPTIONS.get(told.name)
            # A process of another release may have others.
            if isinstance(subscription, SignalSubscription) and issubclass(subscription.tells, Signal):
                feed.tell(told.name, told.topic, msgspec.json.decode(told.signal, type=subscription.tells))
        except msgspec.DecodeError:
            log.warning("hub.unreadable_signal", body=repr(body[:200]))

    async def _feed(self, tenant_id: UUID) -> Feed:
        if tenant_id not in self._feeds:
            position = await newest_position(self._database, tenant_id)
            # Another stream of the tenant may have opened its feed meanwhile.
            if tenant_id not in self._feeds:
                feed = self._feeds[tenant_id] = Feed(self._database, self._delivery, tenant_id, position)
                self._tasks[tenant_id] = asyncio.create_task(feed.run())
                if self._store is not None:
                    channel = _channel(self._store, tenant_id)
                    self._deaf[tenant_id] = self._store.listen(channel, partial(self._hear_signal, tenant_id))
        return self._feeds[tenant_id]

    def _remove(self, tenant_id: UUID, feed: Feed, stream: Stream) -> None:
        feed.remove(stream)
        stream.forget()
        if feed.is_empty:
            self._feeds.pop(tenant_id)
            self._tasks.pop(tenant_id).cancel()
            if (stop := self._deaf.pop(tenant_id, None)) is not None:
                stop()

    async def _listen(self) -> None:
        """Listen until cancelled, on a new connection whenever one is lost."""
        while True:
            try:
                await self._listen_on_one_connection()
            except Exception as error:
                if as_client_error(error) is None:
                    log.exception("hub.failed")
                else:
                    log.warning("hub.listening_again", error=repr(error))
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_on_one_connection(self) -> None:
        connection = await connect(self._url)
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(FACTS, lambda *event: self._hear(str(event[-1])))
            await connection.add_listener(RIGHTS, lambda *event: self._watch.hear(str(event[-1])))
            # What was notified while nobody listened.
            self._wake(list(self._feeds.values()))
            self._watch.doubt_all()
            await lost.wait()
        finally:
            connection.terminate()

    def _hear_store(self, payload: bytes | None) -> None:
        if payload is None:
            # What was published while nobody listened.
            self._wake(list(self._feeds.values()))
        else:
            self._hear(payload)

    def _hear(self, payload: str | bytes) -> None:
        try:
            news = _decode(payload)
        except msgspec.DecodeError:
            log.warning("hub.unreadable_notification", payload=repr(payload[:200]))
            return
        tenants = self._feeds if news.t is None else self._feeds.keys() & set(news.t)
        self._wake([self._feeds[tenant] for tenant in tenants if self._feeds[tenant].position < news.p])

    @staticmethod
    def _wake(feeds: list[Feed]) -> None:
        for feed in feeds:
            feed.wake()


def _tells_presence(request: StreamRequest) -> bool:
    subscription = request.subscription
    return isinstance(subscription, SignalSubscription) and issubclass(subscription.tells, Presence)


def _follows(present: Present, name: str, topic_id: UUID, claim: Claim) -> bool:
    """Whether it is an open stream of exactly this."""
    return (
        isinstance(present, Stream)
        and present.is_admitted
        and not present.ended
        and (present.request.subscription.name, present.topic_id, present.claim) == (name, topic_id, claim)
    )


def _topic_id(request: StreamRequest, origin: Origin) -> UUID:
    """The id that the only argument names, or the viewer's own. Raises Unauthenticated when that is nobody's."""
    if request.subscription.topic is not None:
        (topic_id,) = request.arguments.values()
        return UUID(str(topic_id))
    if origin.claim.user_id is None:
        raise Unauthenticated
    return origin.claim.user_id


def _channel(store: Store, tenant_id: UUID) -> str:
    return f"{store.prefix}signals:{tenant_id}"
