"""Fan-out: what is said in one room reaches every socket that follows it. How many a second, and how late.

python -m bench.fanout                       # 100, 1,000 and 10,000 sockets, beside Mercurius with its Redis emitter
python -m bench.fanout --quick
"""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import httpx
import psutil
import psycopg
from rich.status import Status

from bench.chapters import Chapter, Column, Match, Target, at_least, at_most, program
from bench.ears import Audience, listening
from bench.hall import Hall
from bench.meters import cpu_of, cpu_of_postgres, memory_of
from bench.redis import FAST, redis
from bench.rounds import take_turns
from bench.servers import MUSTER, Fleet, Person, worker

PEER = "Mercurius, Redis"
_MOST_PEOPLE = 1_000
_FEW = 100
"""So few sockets that nothing waits: what is measured is the way from who speaks to who hears."""
_MANY = {"SOCKETS_PER_PERSON": "1000000", "SOCKETS_PER_PROCESS": "1000000", "LOG_LEVEL": "error"}
_EVENT = {
    "title": "A large room",
    "timezone": "UTC",
    "meetingKind": "ONLINE",
    "onlineUrl": "https://meet.example",
    "startsAt": "2030-06-01T18:00:00Z",
    "endsAt": "2030-06-01T21:00:00Z",
}
_JOIN = """
with joined as (
  insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, joined_at)
  select tenant_id, uuidv7(), %(event)s, user_id, 'PARTICIPANT', 'JOINED', now(), now()
    from members where user_id = any(%(people)s) on conflict do nothing returning *
), counted as (
  update events set joined_count = joined_count + (select count(*) from joined) where id = %(event)s
)
insert into room_seats (tenant_id, id, room_id, user_id, read_sequence, told_sequence)
select tenant_id, uuidv7(), event_id, user_id, 0, 0 from joined
"""
_COLUMNS = (
    Column("rate", "deliveries/s"),
    Column("p50", "p50 ms", ".1f"),
    Column("p99", "p99 ms", ".1f"),
    Column("server", "CPU us of a delivery, server", ".1f"),
    Column("stores", "PostgreSQL, worker, Redis", ".1f"),
    Column("client", "client", ".1f"),
    Column("memory", "MB", ".0f"),
)
_NOTES = """
One room; one voice, and every socket follows it over `graphql-transport-ws`. Each message is written to PostgreSQL first.
Lateness runs from just before it is sent to when a socket has it. 'As fast as heard' says the next message as soon as all
but two have been heard by everybody.

Ours writes a fact besides the message, has it sequenced by the worker, and asks the database at each delivery whether who
listens still may. The peer asks once, when the subscription begins, and passes the message itself through Redis, which
keeps nothing.
"""


@dataclass(frozen=True)
class Crowd:
    """How many listen, and how much they hear. rate: messages a second; 0 is as fast as they are heard."""

    sockets: int
    rate: float
    messages: int

    @property
    def title(self) -> str:
        """For people."""
        how = f"{self.rate:g} messages a second" if self.rate else "as fast as heard"
        return f"{self.sockets:,} sockets, {how}"


FULL = (Crowd(100, 10, 60), Crowd(1_000, 20, 120), Crowd(1_000, 0, 120), Crowd(10_000, 2, 12))
QUICK = (Crowd(200, 20, 40), Crowd(200, 0, 100))


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Let the contestants take turns with each crowd."""
    crowds = QUICK if quick else FULL
    with ExitStack() as stack:
        hall = Hall(stack, 1, lambda step: status.update(f"fan-out: {step}"))
        fleets = {MUSTER: hall.start_muster(_MANY)}
        stores = {MUSTER: [stack.enter_context(worker(hall.urls, hall.folder))]}
        if peers:
            passing = stack.enter_context(redis(hall.folder, FAST))
            fleets[PEER], stores[PEER] = hall.start_peer({"PEER_REDIS": passing.url}), [passing.process]
        people = hall.people(min(max(each.sockets for each in crowds), _MOST_PEOPLE))
        room = _room(hall, fleets[MUSTER], people)
        chapter = Chapter("fanout", "Fan-out", _NOTES, versions=hall.versions)
        for crowd in crowds:
            match = Match(crowd.title, _COLUMNS)
            chapter.matches.append(match)
            status.update(match.title)
            turns = [
                partial(_hold, hall, match, each, fleets[each], stores[each], crowd, people, room) for each in fleets
            ]
            take_turns(turns, rounds=2)
            chapter.targets += _targets(match, crowd)
    return chapter


def _hold(
    hall: Hall,
    match: Match,
    name: str,
    fleet: Fleet,
    stores: list[psutil.Process],
    crowd: Crowd,
    people: list[Person],
    room: str,
) -> None:
    """One round of one contestant."""
    tokens = tuple(fleet.sign(each) for each in people)
    audience = Audience(fleet.ports, tokens, crowd.sockets, room, crowd.rate, crowd.messages)
    with listening(audience) as outcome:
        server, behind = cpu_of(fleet.processes), cpu_of_postgres(hall.postmaster) + cpu_of(stores)
        heard = outcome()
        server, behind = (
            cpu_of(fleet.processes) - server,
            cpu_of_postgres(hall.postmaster) + cpu_of(stores) - behind,
        )
        memory = sum(memory_of(each) for each in fleet.processes)
    if heard.missed:
        raise RuntimeError(f"{name}: {heard.missed} of {crowd.messages * crowd.sockets} deliveries never came")
    each = 1e6 / heard.deliveries
    match.add(
        name,
        {
            "rate": heard.deliveries / heard.seconds,
            "p50": heard.p50,
            "p99": heard.p99,
            "server": server * each,
            "stores": behind * each,
            "client": heard.client * each,
            "memory": memory,
        },
    )


def _room(hall: Hall, ours: Fleet, people: list[Person]) -> str:
    """An event that all these people have joined; answers with its id."""
    address = f"http://127.0.0.1:{ours.ports[0]}/api/v1"
    with httpx.Client(headers={"Authorization": f"Bearer {ours.tokens[0]}"}, timeout=30) as http:
        drafted = http.post(f"{address}/events", json=_EVENT)
        event_id: str = drafted.raise_for_status().json()["id"]
        http.post(f"{address}/events/{event_id}/publication").raise_for_status()
    with psycopg.connect(hall.superuser) as connection:
        connection.execute(_JOIN, {"event": event_id, "people": [each.user_id for each in people]})
    return event_id


def _targets(match: Match, crowd: Crowd) -> list[Target]:
    """Of each kind of crowd what was asked."""
    if crowd.sockets <= _FEW:
        return at_most(f"{match.title}: half of them heard within", 15, match.median(MUSTER, "p50"), " ms")
    if crowd.rate:
        return [
            *at_most(f"{match.title}: 99 of 100 heard within", 100, match.median(MUSTER, "p99"), " ms"),
            *at_most(f"{match.title}: memory", 1_000, match.median(MUSTER, "memory"), " MB"),
        ]
    return [
        *at_least(f"{match.title}: deliveries a second", 20_000, match.median(MUSTER, "rate")),
        *at_least(f"{match.title}: rate to the peer's", 1, match.ratio("rate", MUSTER, PEER)),
    ]


if __name__ == "__main__":
    program("fanout", __doc__, measure)
