"""`GET /api/v1/stream`: what subscriptions tell, for clients without GraphQL. `EventSource` of a browser is enough.

Streams are named in the address, so each that a slice declares is there at once. An event is named as its stream is, and
its data is the row as REST gives it. Its id is a place in all streams of the connection together.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.caller import Origin
from muster.kit.commands.context import Services
from muster.kit.endpoints.accept import preferred
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.event_stream.line import MEDIA_TYPE, EventStream, Line
from muster.kit.endpoints.http import problem_response, query_string
from muster.kit.endpoints.places import Places
from muster.kit.endpoints.problem import as_rest_writes_it, client_error, problem
from muster.kit.endpoints.rates import tell_rates
from muster.kit.errors import AppError, BadInput, Invalid
from muster.kit.metrics import SOCKETS
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.signals import shown
from muster.kit.realtime.stream import CursorOfNoUse, Stream, StreamRequest, Waiting
from muster.kit.realtime.subscription import SUBSCRIPTIONS, Subscription
from muster.kit.text import as_id
from muster.kit.views.paging import cursor_tag, read_cursor, write_cursor
from muster.kit.views.picks import whole
from muster.kit.views.results import whole_payload
from muster.kit.views.view import View
from muster.kit.waiting import end_with_first

PATH = "/api/v1/stream"
MOST_STREAMS = 20
"""Of one connection."""
OWN = "true"
"""The value of a stream that is about nothing but its viewer."""


class NotAnEventStream(AppError):
    """Answers are text/event-stream; say so in Accept, or leave it out."""

    status, code, title = 406, "NOT_ACCEPTABLE", "Not acceptable"


@dataclass(frozen=True)
class _Wanted:
    """One stream that is asked for. topic_id: None is the viewer themself."""

    subscription: Subscription
    topic_id: UUID | None

    def request(self) -> StreamRequest:
        """The rows as REST gives them, from now on."""
        names = [each.name for each in self.subscription.arguments.parameters]
        arguments = dict.fromkeys(names, self.topic_id)
        shows = shown(self.subscription)
        picks = whole(shows) if issubclass(shows, View) else whole_payload(shows)
        return StreamRequest(self.subscription, None, picks, (), arguments, None)


class PlainStream:
    """Serves the address."""

    def __init__(self, services: Services, hub: Hub, edge: Edge, places: Places) -> None:
        self._services, self._hub, self._edge, self._places = services, hub, edge, places

    async def serve(self, request: Request) -> Response:
        """Answer with a stream, or a problem document."""
        request_id: str = request.state.request_id
        try:
            if preferred(request.headers.get("accept"), (MEDIA_TYPE,)) is None:
                raise NotAnEventStream
            given = query_string(request)
            tenant = given.pop("tenant", None)
            origin = await self._edge.origin(request, request_id=request_id, tenant=tenant)
            self._edge.cookies.refuse_foreign_page(request)
            last = request.headers.get("last-event-id") or None
            return tell_rates(await self._follow(given, last, origin), origin)
        except Exception as error:  # noqa: BLE001 - every failure becomes a problem document
            told = as_rest_writes_it(client_error(error))
            if told.status == 401:
                told.headers = {**told.headers, **self._edge.cookies.forgotten(request)}
            return problem_response(told, request_id)

    async def _follow(self, given: dict[str, str], last: str | None, origin: Origin) -> Response:
        after = given.pop("after", None) if last is None else last
        wanted = _read(given)
        await self._services.limiter.draw([each.subscription.limit for each in wanted], origin)
        asked = _from(wanted, after, origin)
        async with AsyncExitStack() as held:
            held.enter_context(self._places.one())
            held.enter_context(self._places.of(origin.claim))
            held.enter_context(SOCKETS.track_inprogress())
            waiting = Waiting()
            streams = [await held.enter_async_context(self._hub.open(each, origin, waiting)) for each in asked]
            telling = _Telling(Line(), streams, _tag(wanted, origin), origin)
            return EventStream(telling.talk, telling.line, held.pop_all())


class _Telling:
    """Tells what the streams of one connection give, each event with the place behind all that was told."""

    def __init__(self, line: Line, streams: Sequence[Stream], tag: str, origin: Origin) -> None:
        self.line = line
        self._streams, self._tag, self._origin = streams, tag, origin
        self._told = [each.seen for each in streams]
        self._turn = asyncio.Lock()

    async def talk(self) -> None:
        """Tell until one of the streams ends. Browsers then come back by themselves, and go on or learn why not."""
        await self.line.write(f"id: {self._place()}\n\n")
        await end_with_first([asyncio.create_task(self._tell(number)) for number in range(len(self._streams))])

    async def _tell(self, number: int) -> None:
        stream = self._streams[number]
        name = stream.request.subscription.name
        try:
            async for element in stream:
                # What another stream tells meanwhile has a place that does not cover this element yet.
                async with self._turn:
                    self._told[number] = stream.seen
                    await self.line.tell(name, element.decode(), cursor=self._place())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            told = client_error(error)
            document = problem(told, self._origin.request_id) | {"stream": name}
            place = "" if isinstance(told, CursorOfNoUse) else self._place()
            async with self._turn:
                await self.line.tell("problem", msgspec.json.encode(document).decode(), cursor=place)

    def _place(self) -> str:
        return write_cursor(self._tag, *self._told)


def _read(given: dict[str, str]) -> list[_Wanted]:
    """The streams that an address names. Raises BadInput, Invalid."""
    wanted = [each for name, value in given.items() for each in _named(name, value)]
    if not wanted:
        raise BadInput(f"Name a stream: {', '.join(SUBSCRIPTIONS)}.")
    if len(wanted) > MOST_STREAMS:
        raise BadInput(f"At most {MOST_STREAMS} streams come by one connection.")
    return wanted


def _named(name: str, value: str) -> list[_Wanted]:
    subscription = SUBSCRIPTIONS.get(name)
    if subscription is None:
        raise Invalid.field(name[:80], f"is no stream; there are {', '.join(SUBSCRIPTIONS)}")
    if subscription.topic is None:
        if value != OWN:
            raise Invalid.field(name, f"must be `{OWN}`, since it is about nothing but you")
        return [_Wanted(subscription, None)]
    topics = [as_id(each) for each in value.split(",")]
    if None in topics or len(set(topics)) != len(topics):
        raise Invalid.field(name, "must be the id of what to follow, or several, each once, with commas between")
    return [_Wanted(subscription, each) for each in topics]


def _tag(wanted: Sequence[_Wanted], origin: Origin) -> str:
    """What ties a place to these streams of one tenant."""
    streams = ",".join(f"{each.subscription.name}:{each.topic_id or origin.claim.user_id}" for each in wanted)
    return cursor_tag("stream", "POSITIONS", {"tenant": str(origin.claim.tenant_id), "streams": streams})


def _from(wanted: Sequence[_Wanted], after: str | None, origin: Origin) -> list[StreamRequest]:
    """What to ask for, so that each stream goes on from its part of a place. Raises BadInput for a place of others."""
    requests = [each.request() for each in wanted]
    if after is None:
        return requests
    positions = read_cursor(after, _tag(wanted, origin), (int,) * len(wanted), "after")
    return [replace(each, after=int(str(position))) for each, position in zip(requests, positions, strict=True)]
