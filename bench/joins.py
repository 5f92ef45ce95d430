"""Joins: ten thousand people want five hundred places at one event. Who gets one, who waits, and how fast that is settled.

python -m bench.joins            # one process on either side, then two
python -m bench.joins --quick
"""

import json
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
from bench.scenarios import Ask, join
from bench.servers import MUSTER, PEER_NAME, Fleet, Person

_CONNECTIONS = 200
_COLUMNS = columns("joins/s", "a join", ".0f")
_NOTES = """
Everybody asks once, by GraphQL, over 200 connections; nobody is refused: who gets no place waits in line, with a number of
their own. After each round the database is asked whether exactly so many have a place and the numbers have no gap. Both
sides lock the event's row, and PostgreSQL answers a commit when it is on disk (`synchronous_commit=on`).

Ours also writes facts, outbox and audit rows, and reads the result back for the caller. The peer's statements are eight
round trips for each join, in a transaction of its own.

The mix is ours alone, by REST: of ten people seven come alone, two with one to three guests, one by a link, and every fourth
leaves again, so that who is next gets their places. At the end nobody waits for whom there are places.
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
# Heads with a place, as counted and as they are; places; who is first in the queue; numbers that two share.
_WHOLE = """
select e.joined_count, sum(m.party_size) filter (where m.status = 'JOINED'), e.max,
       (select w.party_size from event_members w where w.event_id = e.id and w.queue_number is not null
         order by w.queue_number limit 1),
       count(m.queue_number) - count(distinct m.queue_number)
  from events e join event_members m on m.event_id = e.id where e.id = %s group by e.tenant_id, e.id
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
            mix = Match(f"{title}: the mix", _COLUMNS)
            chapter.matches.append(mix)
            take_turns([partial(_hold_mix, hall, mix, _part(hall.fleets[0], count), crowd, places)], rounds=1)
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


def _hold_mix(hall: Hall, match: Match, fleet: Fleet, crowd: list[Person], places: int) -> None:
    """One round of everything that brings people in and out."""
    event_id = _event(hall, places)
    code = _link(hall, event_id)
    asks = [_asks(number, event_id, code, fleet.sign(each)) for number, each in enumerate(crowd)]
    scripts = [[ask for each in asks[number::_CONNECTIONS] for ask in each] for number in range(_CONNECTIONS)]
    load = Load(fleet.ports, scripts, seconds=600, warm=0, again=False)
    found = measured(fleet.name, fleet.processes, hall.postmaster, load)
    with psycopg.connect(hall.superuser) as connection:
        row = connection.execute(_WHOLE, [event_id]).fetchone()
    if row is None or not (row[0] == row[1] <= row[2] < row[0] + (row[3] or row[2] + 1) and row[4] == 0):
        raise RuntimeError(f"the mix: counted, seated, places, first party and shared numbers are {row}")
    match.add(fleet.name, {**asdict(found), "memory": max(memory_of(process) for process in fleet.processes)})


def _asks(number: int, event_id: str, code: str, token: str) -> list[bytes]:
    """What one person asks for, one after the other."""
    members = f"/api/v1/events/{event_id}/members"
    guests = json.dumps({"guests": [{}] * (1 + number % 3)}).encode()
    asks = [Ask("POST", members, guests) if number % 10 in (3, 6) else Ask("POST", members)]
    if number % 10 == 9:
        asks = [Ask("POST", f"/api/v1/event-links/{code}/members")]
    if number % 4 == 0:
        asks.append(Ask("DELETE", f"{members}/me"))
    return [each.written(token) for each in asks]


def _link(hall: Hall, event_id: str) -> str:
    """A link into an event of the first caller, good for everybody."""
    ours = hall.fleets[0]
    address = f"http://127.0.0.1:{ours.ports[0]}/api/v1/events/{event_id}/links"
    made = httpx.post(address, json={}, headers={"Authorization": f"Bearer {ours.tokens[0]}"}, timeout=30)
    code: str = made.raise_for_status().json()["code"]
    return code


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
