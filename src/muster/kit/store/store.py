"""The client of the shared store, one for each process.

    await store.ask("SET", key, value, "PX", 5000)        # any command; what is asked at once leaves in one write
    await store.run(SCRIPT, keys=[...], arguments=[...])  # a Lua script, kept there by its hash
    stop = store.listen(store.prefix + "news", hear)      # hear(payload) of each message, hear(None) after a gap

While the store is away every call fails at once with StoreDown, so that no request waits for it; in the background the
connection is made again. A call that the store has not answered after a tenth of a second fails likewise. Whoever calls
says what happens then: nothing is kept here that may not be lost.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

import structlog

from muster.kit.processes import CannotRun
from muster.kit.store.address import StoreAddress
from muster.kit.store.connection import Connection, Reply, StoreDown, StoreRefused, Word

log = structlog.get_logger()

Hear = Callable[[bytes | None], None]
"""Is told each payload; None says that the connection was made anew, and that something may have been missed."""

_START_SECONDS = 5.0
_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class Script:
    """Lua that the store runs whole, with nothing of anybody else in between."""

    text: str

    @cached_property
    def digest(self) -> str:
        """What the store knows it by."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Store:
    """A client of the shared store; see `opened_store`. prefix: what names of keys and channels begin with."""

    def __init__(self, address: StoreAddress, prefix: str = "muster:") -> None:
        self.prefix = prefix
        self._address = address
        self._connection: Connection | None = None
        self._coming_back: asyncio.Task[None] | None = None
        self._hearing: dict[bytes, list[Hear]] = defaultdict(list)

    @property
    def is_there(self) -> bool:
        """Whether it is connected at this moment."""
        return self._connection is not None

    def ask(self, *words: Word) -> asyncio.Future[Reply]:
        """Run one command. It is sent also where nobody awaits the answer. Raises StoreDown at once, StoreRefused."""
        if self._connection is None:
            raise StoreDown("the store is away")
        return self._connection.ask(*words)

    async def run(self, script: Script, *, keys: Sequence[Word], arguments: Sequence[Word] = ()) -> Reply:
        """Run a script. Raises StoreDown, StoreRefused."""
        try:
            return await self.ask("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except StoreRefused as refusal:
            if not str(refusal).startswith("NOSCRIPT"):
                raise
        return await self.ask("EVAL", script.text, len(keys), *keys, *arguments)

    def listen(self, channel: str, hear: Hear) -> Callable[[], None]:
        """Hear what is published on a channel, over every gap. What comes back ends it."""
        name = channel.encode()
        self._hearing[name].append(hear)
        if len(self._hearing[name]) == 1 and self._connection is not None:
            self._connection.tell("SUBSCRIBE", name)

        def stop() -> None:
            self._hearing[name].remove(hear)
            if not self._hearing[name]:
                del self._hearing[name]
                if self._connection is not None:
                    self._connection.tell("UNSUBSCRIBE", name)

        return stop

    async def connect(self) -> None:
        """Connect once. Raises StoreDown, StoreRefused."""
        self._connection = await Connection.open(self._address, self._heard, self._lost)
        if self._hearing:
            self._connection.tell("SUBSCRIBE", *self._hearing)
        for name in list(self._hearing):
            self._heard(name, None)

    def come_back(self) -> None:
        """Connect, again, in the background, as soon as it can be."""
        self._coming_back = asyncio.create_task(self._come_back())

    async def close(self) -> None:
        """Let go for good."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if self._coming_back is not None:
            self._coming_back.cancel()
            with suppress(asyncio.CancelledError):
                await self._coming_back

    def _heard(self, channel: bytes, payload: bytes | None) -> None:
        for hear in list(self._hearing.get(channel, ())):
            try:
                hear(payload)
            except Exception:  # whoever hears badly must not cost the others the connection
                log.exception("store.hearing_failed", channel=channel.decode())

    def _lost(self) -> None:
        if self._connection is None:  # it was never whole, or we let go of it
            return
        self._connection = None
        log.warning("store.lost", address=str(self._address))
        self.come_back()

    async def _come_back(self) -> None:
        delay = _RETRY_SECONDS
        while True:
            await asyncio.sleep(delay)
            try:
                await self.connect()
            except (StoreDown, StoreRefused):
                delay = min(delay * 2, _LONGEST_RETRY_SECONDS)
            else:
                log.info("store.back", address=str(self._address))
                return


@asynccontextmanager
async def opened_store(
    address: StoreAddress | None, prefix: str = "muster:", *, is_needed: bool = True
) -> AsyncIterator[Store | None]:
    """The store of a process, closed at the end; None where no address is set.

    prefix: see `prefix_of`. is_needed: whether the process does not start without it; else it looks for it meanwhile.
    Raises CannotRun when it does not let us in or, where it is needed, does not answer.
    """
    if address is None:
        yield None
        return
    store = Store(address, prefix)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await _first_connection(store)
    except TimeoutError as error:
        said = f"REDIS_URL: there is no Valkey or Redis that answers at {address}. Does it run?"
        if is_needed:
            raise CannotRun(said) from error
        log.warning("store.is_away", remedy=said)
        store.come_back()
    except StoreRefused as refusal:
        raise CannotRun(f"REDIS_URL: the store at {address} does not let us in: {refusal}") from refusal
    try:
        yield store
    finally:
        await store.close()


async def _first_connection(store: Store) -> None:
    """Whoever starts us may have started the store in the same moment."""
    while True:
        try:
            return await store.connect()
        except StoreDown:
            await asyncio.sleep(_RETRY_SECONDS)
