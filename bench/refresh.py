"""Refreshes: how many sessions are renewed a second where server and database share one core.

python -m bench.refresh
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

import jwt
import psutil
from rich.status import Status

from bench.chapters import Chapter, Match, at_least, program
from bench.hall import Hall
from bench.load import Load
from bench.meters import memory_of
from bench.rounds import columns, measured, take_turns
from bench.scenarios import CALLERS, Ask
from bench.servers import MUSTER, PEER_NAME, SECRET, Fleet, Person
from muster.identity.seals import refresh_token

_COLUMNS = columns("refreshes/s", "one", ".1f")
_NOTES = """
32 sessions, each renewed again and again with the token that the last renewal gave. Both sides lock the session, compare
the number in the token with the one in the row, count it up, and sign two tokens; a token that was used before ends the
session. The servers and all of PostgreSQL are kept on one core, the client is free to use the other.

Ours also writes an audit row. The peer signs with `jose` and writes nothing else.
"""
_MOST = 4_000
"""Renewals of one session in one round: no server here reaches it."""


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Let the contestants take turns, each time with new sessions."""
    with ExitStack() as stack:
        hall = Hall(stack, 1, lambda step: status.update(f"refresh: {step}"))
        hall.start_muster()
        if peers:
            hall.start_peer({"PEER_SECRET": SECRET})
        keep_on_one_core([hall.postmaster, *hall.postmaster.children(), *(each.processes[0] for each in hall.fleets)])
        chapter = Chapter("refresh", "Sessions renewed", _NOTES, versions=hall.versions)
        match = Match("one process, on one core with PostgreSQL", _COLUMNS)
        chapter.matches.append(match)
        status.update("refresh")
        seconds = 1.0 if quick else 4.0
        take_turns([partial(_hold, hall, match, fleet, seconds) for fleet in hall.fleets], rounds=2 if quick else 3)
        chapter.targets += at_least("refreshes a second on one core", 1_000, match.median(MUSTER, "rate"))
        chapter.targets += at_least("refreshes: rate to the peer's", 1, match.ratio("rate", MUSTER, PEER_NAME))
    return chapter


def keep_on_one_core(processes: Sequence[psutil.Process]) -> None:
    """Let processes, and what they start from now on, run on the first core only."""
    for process in processes:
        for thread in process.threads():
            psutil.Process(thread.id).cpu_affinity([0])


def _hold(hall: Hall, match: Match, fleet: Fleet, seconds: float) -> None:
    people = hall.people(CALLERS)
    scripts = [[_ask(fleet.name, person, number) for number in range(_MOST)] for person in people]
    load = Load(fleet.ports, scripts, seconds, warm=0.5, again=False)
    found = measured(fleet.name, fleet.processes, hall.postmaster, load)
    match.add(fleet.name, {**asdict(found), "memory": memory_of(fleet.processes[0])})


def _ask(name: str, person: Person, number: int) -> bytes:
    if name == MUSTER:
        token = refresh_token(SECRET, person.session_id, number)
    else:
        claims = {"sid": str(person.session_id), "generation": number}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
    return Ask("POST", "/api/v1/auth/refresh", f'{{"refreshToken":"{token}"}}'.encode()).written("")


if __name__ == "__main__":
    program("refresh", __doc__, measure)
