"""Joins: ten thousand people want five hundred places at one event. Who gets one, who waits, and how fast that is settled.

python -m bench.joins            # one process on either side, then two
python -m bench.joins --quick
"""

from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial

import httpx
import psycopg
from rich.status import Status

from bench.chapters import Chapter, Match, at_least, program
from bench.hall import Hall
from bench.load import Load
from bench.meters import memory_of
from bench.rounds import columns, measured, take_turns
from bench.scenarios import join
from bench.servers import MUSTER, PEER_NAME, Fleet, Person

_CONNECTIONS = 200
_COLUMNS = columns("joins/s", "a join", ".0f")
_NOTES = """
Everybody asks once, by GraphQL, over 200 connections; nobody is refused: who gets no place waits in line, with a number of
their own. After each round the database is asked whether exactly so many have a place and the numbers have no gap. Both
sides lock the event's row, and PostgreSQL answers a commit when it is on disk (`synchronous_commit=on`).

Ours also writes facts, outbox and audit rows, and reads the result back for the caller. The peer's statements are eight
round trips for each join, in a transaction of its own.
"""
_EVENT = {
    "title": "What everybody wants",
    "timezone": "UTC",
    "meetingKind": "ONLINE",
    "onlineUrl": "https://meet.example",
    "startsAt": "2040-06-01T18:00:00Z",
    "endsAt": "2040-06-01T21:00:00Z",
}
_TRUTH = """
select count(*) filter (where status = 'JOINED'), count(*) filter (where status = 'WAITLIST'), max(queue_number),
       count(distinct queue_number)
  from event_members where event_id = %s
"""


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Let the contestants take turns, each time at a new event."""
    people, places = (1_000, 50) if quick else (10_000, 500)
    fleets_of = (1,) if quick else (1, 2)
    with ExitStack() as stack:
        hall = Hall(stack, max(fleets_of), lambda step: status.update(f"joins: {step}"))
        hall.start_muster()
        if peers:
            hall.start_peer()
        chapter = Chapter("joins", "A crowd at one event", _NOTES, versions=hall.versions)
        crowd = hall.people(people)
        for count in fleets_of:
            title = f"{people:,} people on {places} places, {count} process{'es' if count > 1 else ''}"
            match = Match(title, _COLUMNS)
            chapter.matches.append(match)
            status.update(title)
            turns = [partial(_hold, hall, match, _part(fleet, count), crowd, places) for fleet in hall.fleets]
            take_turns(turns, rounds=1 if quick else 2)
            ratio = match.ratio("rate", MUSTER, PEER_NAME)
            chapter.targets += at_least(f"{title}: rate to the peer's", 1, ratio)
    return chapter


def _part(fleet: Fleet, count: int) -> Fleet:
    return replace(fleet, processes=fleet.processes[:count], ports=fleet.ports[:count])


def _hold(hall: Hall, match: Match, fleet: Fleet, crowd: list[Person], places: int) -> None:
    """One round of one contestant."""
    event_id = _event(hall, places)
    asks = [join(event_id).written(fleet.sign(each)) for each in crowd]
    scripts = [asks[number::_CONNECTIONS] for number in range(_CONNECTIONS)]
    load = Load(fleet.ports, scripts, seconds=600, warm=0, again=False)
    found = measured(fleet.name, fleet.processes, hall.postmaster, load)
    _check(hall, fleet.name, event_id, places, waiting=len(crowd) - places + 1)
    memory = max(memory_of(process) for process in fleet.processes)
    match.add(fleet.name, {**asdict(found), "memory": memory})


def _event(hall: Hall, places: int) -> str:
    """A new event of the first caller, who has one of its places; answers with its id."""
    ours = hall.fleets[0]
    address = f"http://127.0.0.1:{ours.ports[0]}/api/v1/events"
    with httpx.Client(headers={"Authorization": f"Bearer {ours.tokens[0]}"}, timeout=30) as http:
        drafted = http.post(address, json={**_EVENT, "max": places})
        event_id: str = drafted.raise_for_status().json()["id"]
        http.post(f"{address}/{event_id}/publication").raise_for_status()
    return event_id


def _check(hall: Hall, name: str, event_id: str, places: int, *, waiting: int) -> None:
    with psycopg.connect(hall.superuser) as connection:
        found = connection.execute(_TRUTH, [event_id]).fetchone()
    if found != (places, waiting, waiting, waiting):
        raise RuntimeError(f"{name}: seated, waiting, last number and numbers are {found}, {places} have a place")


if __name__ == "__main__":
    program("joins", __doc__, measure)
