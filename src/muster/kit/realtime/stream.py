"""Streams: what one client asked to follow, and the elements that wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from uuid import UUID

from muster.kit.caller import Allow, Claim, Permission
from muster.kit.errors import AppError
from muster.kit.realtime.cursors import stream_tag, write_position
from muster.kit.realtime.reading import PlacedFact
from muster.kit.realtime.subscription import Subscription
from muster.kit.views.picks import Pick, SlotValues

MOST_WAITING = 1000
"""Elements that wait for a client; one that falls further behind has to subscribe again."""
MOST_BYTES = 262_144
"""Of the elements that wait for a client, in all its streams together."""

Push = Callable[[Sequence[bytes]], bool]
"""Sends elements at once, all or none; answers whether it did. What it does not waits for the client to take it."""
Outcome: TypeAlias = bytes | AppError | None
"""What a fact comes to for a stream: an element, a refusal that ends it, or nothing to see."""


class Resync(AppError):
    """You have fallen behind: subscribe again with the cursor of the last element you have."""

    status, code, title = 409, "RESYNC", "Subscribe again"


class CursorOfNoUse(Resync):
    """Read the list again, and subscribe without a cursor."""


class Waiting:
    """How much waits for one client, over all its streams: it bounds what somebody who does not read may cost."""

    def __init__(self) -> None:
        self.bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether whoever has something waiting may have no more."""
        return self.bytes >= MOST_BYTES


@dataclass(frozen=True)
class StreamRequest:
    """What a client asks to follow.

    key: of the root field in each element; None asks for the shown row alone, as REST gives it. picks: over the element,
    whose fields are `cursor` and what it gives, or over the row. slots: the arguments of picked fields. arguments: of the subscription, by their Python names.
    after: the cursor of the last element that was seen, or its position.
    """

    subscription: Subscription
    key: str | None
    picks: tuple[Pick, ...]
    slots: Sequence[SlotValues]
    arguments: dict[str, Any]
    after: str | int | None

    def written(self, element: str) -> bytes:
        """An element as its client gets it."""
        return (element if self.key is None else f'{{"data":{{"{self.key}":{element}}}}}').encode()


class Stream:
    """One open subscription; iterate over it for its elements, each a whole `{"data": ...}` or row.

    seen: the position of the element that was handed out last; before the first, of where the stream began.
    is_admitted: the right to follow was asked, and there was one. What `push` sends at once does not come by the
    iteration, which ends by raising the AppError that ended the stream.
    """

    def __init__(
        self,
        request: StreamRequest,
        claim: Claim,
        topic_id: UUID,
        waiting: Waiting | None = None,
        push: Push | None = None,
    ) -> None:
        """claim: whose stream it is. topic_id: of the topic's row, or of the person whose own stream it is.

        waiting: what its client's streams share; None is a client with this one only. push: None is a client who takes
        every element.
        """
        self.request = request
        self.claim = claim
        self.topic_id = topic_id
        self.tag = stream_tag(request.subscription.name, claim.tenant_id, topic_id)
        self.shape: Hashable = (request.subscription.name, request.picks, tuple(slot.shape for slot in request.slots))
        values = tuple(tuple(sorted(slot.values.items())) for slot in request.slots)
        self.selection: Hashable = (request.key, self.shape, values)
        self.position = self.seen = 0
        self.is_admitted = False
        self._backlog: deque[PlacedFact] | None = None
        self._kinds = frozenset((fact.kind, fact.version) for fact in request.subscription.facts)
        self._until = {(fact.kind, fact.version): field for fact, field in request.subscription.until.items()}
        self._elements: deque[tuple[int, bytes]] = deque()
        self._push = push
        self._is_awaited = False
        self._waiting = Waiting() if waiting is None else waiting
        self._end: AppError | None = None
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()

    @property
    def allow(self) -> Allow:
        """Who may follow."""
        return self.request.subscription.allow

    @property
    def permission(self) -> Permission | None:
        """What a follower's role must give."""
        return self.request.subscription.permission

    @property
    def ended(self) -> bool:
        """Whether nothing will be added any more."""
        return self._end is not None

    @property
    def cursor(self) -> str:
        """Of `seen`."""
        return write_position(self.seen, self.tag)

    def start(self, position: int) -> None:
        """Have what happens behind `position`, which is the present."""
        self.position = self.seen = position

    def wants(self, fact: PlacedFact) -> bool:
        """Whether the fact makes an element that this stream has not had yet."""
        return not self.ended and fact.position > self.position and (fact.kind, fact.version) in self._kinds

    def is_doubted_by(self, fact: PlacedFact) -> bool:
        """Whether the fact may have ended the viewer's right to follow."""
        key = (fact.kind, fact.version)
        if self.ended or key not in self._until:
            return False
        whose, known = self._until[key], fact.read()
        return whose is None or getattr(known, whose, None) == self.claim.user_id

    def start_catching_up(self, position: int) -> None:
        """Stand at `position`, and keep what happens from now on until `kept` has handed it out."""
        self.start(position)
        self._backlog = deque()

    def keeps(self, fact: PlacedFact) -> bool:
        """Keep a fact for its turn if the stream still catches up; answers whether it does."""
        if self._backlog is None:
            return False
        if len(self._backlog) < MOST_WAITING:
            self._backlog.append(fact)
        else:
            self.end(Resync())
        return True

    def kept(self) -> Iterator[PlacedFact]:
        """The kept facts that the stream has not had yet; when the iteration ends, the stream is live."""
        while self._backlog:
            fact = self._backlog.popleft()
            if self.wants(fact):
                yield fact
        self._backlog = None

    def take(self, outcomes: Iterable[tuple[int, Outcome]]) -> None:
        """What became of the facts at some positions, in their order."""
        elements: list[tuple[int, bytes]] = []
        refusal: AppError | None = None
        for position, outcome in outcomes:
            self.position = position
            if isinstance(outcome, AppError):
                refusal = outcome
                break
            if outcome is not None:
                elements.append((position, outcome))
        if not self._has_room_for(elements):
            self.forget()
            refusal = Resync()
        if refusal is not None:
            self.end(refusal)

    def hand_out(self, element: bytes) -> bool:
        """Give the client an element; answers whether there was room for it."""
        return self._has_room_for([(self.position, element)])

    def forget(self) -> None:
        """Hand out nothing of what waits."""
        self._waiting.bytes -= sum(len(element) for _, element in self._elements)
        self._elements.clear()

    def end(self, error: AppError) -> None:
        """Add nothing any more; what waits is still handed out, then the error."""
        if self._end is None:
            self._end = error
            self._changed.set()
            self._taken.set()

    async def has_room(self) -> None:
        """Wait until another element may be added, or the stream has ended."""
        while self._is_full and not self.ended:
            self._taken.clear()
            await self._taken.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._elements:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            self._is_awaited = True
            await self._changed.wait()
            self._is_awaited = False
        self._taken.set()
        self.seen, element = self._elements.popleft()
        self._waiting.bytes -= len(element)
        return element

    def _has_room_for(self, elements: Sequence[tuple[int, bytes]]) -> bool:
        """Push elements or let them wait; answers whether there was room for each."""
        if self.ended or not elements or self._is_pushed(elements):
            return True
        for position, element in elements:
            if self._is_full:
                return False
            self._elements.append((position, element))
            self._waiting.bytes += len(element)
        self._changed.set()
        return True

    def _is_pushed(self, elements: Sequence[tuple[int, bytes]]) -> bool:
        # Only while the client has all that came before, and takes nothing at this moment: else it would overtake.
        if self._push is None or not self._is_awaited or self._elements:
            return False
        return self._push([element for _, element in elements])

    @property
    def _is_full(self) -> bool:
        # Where nothing waits, one element may: else a stream could stand still for what waits in another.
        return bool(self._elements) and (len(self._elements) >= MOST_WAITING or self._waiting.is_full)
