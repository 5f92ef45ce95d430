"""What is asked of the servers: the same requests for Muster and for the peer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from bench.data import Sample

CALLERS = 32
"""Signed-in people who ask at the same time, each on a connection of their own."""
_JOINS = 150
"""Joins of one caller in one round at most: no server here reaches it."""

NESTED = """query Events($count: Int!) { events(first: $count) { nodes {
  id title startsAt joinedCount owner { id name }
  members(first: 10) { nodes { id status user { id name } } } } } }"""
SINGLE = """query Event($id: UUID!) { event(id: $id) {
  id title description startsAt endsAt timezone meetingKind address joinedCount max owner { id name } } }"""
JOIN = "mutation Join($id: UUID!) { joinEvent(eventId: $id) { id status role } }"


@dataclass(frozen=True)
class Ask:
    """One request without its caller."""

    method: str
    path: str
    body: bytes = b""

    def written(self, token: str) -> bytes:
        """The request as it goes over the wire."""
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            "Accept: application/json\r\n"
        )
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


@dataclass(frozen=True)
class Scenario:
    """One kind of request. asks: what caller number n sends in a round, given the round's number. changes: it writes."""

    name: str
    title: str
    asks: Callable[[Sample, int, int], Sequence[Ask]]
    changes: bool = False

    def scripts(self, sample: Sample, tokens: Sequence[str], turn: int) -> list[list[bytes]]:
        """The requests of every caller. turn: a number that no other round of this run has."""
        return [[ask.written(token) for ask in self.asks(sample, number, turn)] for number, token in enumerate(tokens)]


def _graphql(document: str, **variables: object) -> Ask:
    return Ask("POST", "/graphql", json.dumps({"query": document, "variables": variables}).encode())


def join(event_id: str) -> Ask:
    """Join an event."""
    return _graphql(JOIN, id=event_id)


def _some(sample: Sample, caller: int) -> list[str]:
    """A caller's own way through the events that stay as they are."""
    start = caller * 31 % len(sample.settled)
    return [str(event) for event in (*sample.settled[start:], *sample.settled[:start])]


def _joins(sample: Sample, caller: int, turn: int) -> list[Ask]:
    """Events that this caller has not joined yet, no two callers at one event at a time."""
    first = turn * _JOINS
    events = islice((*sample.open, *sample.open), first % len(sample.open), first % len(sample.open) + _JOINS)
    mine = [str(event) for event in events]
    start = caller * _JOINS // CALLERS
    return [join(event) for event in (*mine[start:], *mine[:start])]


SCENARIOS = (
    Scenario("nested", "GraphQL: 20 events, owner, 10 members each with user", lambda *_: [_graphql(NESTED, count=20)]),
    Scenario(
        "single",
        "GraphQL: one event with its owner",
        lambda sample, caller, _: [_graphql(SINGLE, id=event) for event in _some(sample, caller)],
    ),
    Scenario(
        "get",
        "REST: GET one event",
        lambda sample, caller, _: [Ask("GET", f"/api/v1/events/{event}") for event in _some(sample, caller)],
    ),
    Scenario("list", "REST: GET 20 events", lambda *_: [Ask("GET", "/api/v1/events?first=20")]),
    Scenario("join", "GraphQL: join an event that has room", _joins, changes=True),
)


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two answers say different things. Moments are compared as moments; cursors, opaque, not at all.

    A field that only ours has is no difference: it is more work for us, and the report names it.
    """
    if isinstance(ours, dict) and isinstance(theirs, dict):
        lacking = [f"{path}.{name}: only theirs" for name in theirs.keys() - ours.keys()]
        shared = [name for name in ours if name in theirs and not name.endswith("Cursor")]
        return lacking + [line for name in shared for line in differences(ours[name], theirs[name], f"{path}.{name}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for index, (mine, other) in pairs for line in differences(mine, other, f"{path}[{index}]")]
    return [] if _same(ours, theirs) else [f"{path}: {ours!r} is ours, {theirs!r} theirs"]


def only_ours(ours: Any, theirs: Any) -> set[str]:
    """The names of fields that only our answer has."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        inner = (only_ours(ours[name], theirs[name]) for name in ours.keys() & theirs.keys())
        return set(ours.keys() - theirs.keys()).union(*inner)
    if isinstance(ours, list) and isinstance(theirs, list):
        return set().union(*(only_ours(mine, other) for mine, other in zip(ours, theirs, strict=False)))
    return set()


def _same(ours: Any, theirs: Any) -> bool:
    if ours == theirs:
        return True
    try:
        return datetime.fromisoformat(ours) == datetime.fromisoformat(theirs)
    except (TypeError, ValueError):
        return False
