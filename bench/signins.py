"""Sign-ins: how many passwords a core checks, and what a flood of them does to everybody else.

python -m bench.signins
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial

import httpx
import psutil
from rich.status import Status

from bench.chapters import Chapter, Column, Match, at_most, program
from bench.hall import Hall
from bench.load import Load, send
from bench.meters import memory_of
from bench.refresh import keep_on_one_core
from bench.rounds import columns, measured, take_turns
from bench.scenarios import Ask
from bench.servers import MUSTER, Fleet

_PASSWORD = "a password for the bench"  # noqa: S105 - of nobody
_PEOPLE, _READERS, _CROWD = 16, 4, 64
_NOTES = """
A sign-in costs what its hash costs, on purpose: Argon2id with 19 MiB and two passes, as OWASP has it. First 16 people
sign in again and again, with the server and all of PostgreSQL on one core. Then four people read one event after the
other on both cores, first by themselves and then while 64 connections sign in as fast as they are let.

Rates are not limited here; as Muster is set up, one address signs in ten times in a quarter of an hour. Hashes are made
by processes that give way to everything else that wants a core, one fewer than there are cores and two at most.
"""
_ALONE, _FLOODED = "nobody signs in", "64 connections sign in"
_READ = (Column("p99", "p99 ms", ".2f"), Column("p50", "p50 ms", ".2f"), Column("rate", "reads/s"))


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Let people sign in, and let others read beside them. peers: makes no difference, since theirs has no passwords."""
    seconds, rounds = (1.5, 2) if quick else (4.0, 3)
    with ExitStack() as stack:
        hall = Hall(stack, 1, lambda step: status.update(f"signins: {step}"))
        fleet = hall.start_muster()
        scripts = _signing_in(fleet)
        chapter = Chapter("signins", "Sign-ins", _NOTES, versions=hall.versions)
        reading = Match("four people read", _READ)
        signing = Match("sign-ins, on one core with PostgreSQL", columns("sign-ins/s", "one", ".1f"))
        chapter.matches += [signing, reading]
        status.update("signins: reads beside a flood")
        turns = [partial(_read, hall, reading, seconds), partial(_read_beside, hall, reading, scripts, seconds)]
        take_turns(turns, rounds=rounds)
        status.update("signins: on one core")
        keep_on_one_core([hall.postmaster, *hall.postmaster.children(), *_with_hashers(fleet)])
        take_turns([partial(_sign_in, hall, signing, scripts, seconds)], rounds=rounds)
        slower = reading.ratio("p99", _FLOODED, _ALONE)
        chapter.targets += at_most("p99 of reads beside a flood of sign-ins, to that without", 2, slower, " times")
    return chapter


def _signing_in(fleet: Fleet) -> list[list[bytes]]:
    """What people with a password send; each has one request, to be sent again and again."""
    address, scripts = f"http://127.0.0.1:{fleet.ports[0]}/api/v1/auth/register", []
    for number in range(_PEOPLE):
        account = {"name": "Bench", "email": f"signs.in.{number}@bench.example", "password": _PASSWORD}
        httpx.post(address, json=account, timeout=30).raise_for_status()
        body = f'{{"email":"{account["email"]}","password":"{_PASSWORD}"}}'
        scripts.append([Ask("POST", "/api/v1/auth/login", body.encode()).written("")])
    return scripts


def _sign_in(hall: Hall, match: Match, scripts: list[list[bytes]], seconds: float) -> None:
    (fleet,) = hall.fleets
    load = Load(fleet.ports, scripts, seconds, warm=0.5)
    found = measured(MUSTER, _with_hashers(fleet), hall.postmaster, load)
    match.add(MUSTER, {**asdict(found), "memory": memory_of(fleet.processes[0])})


def _with_hashers(fleet: Fleet) -> list[psutil.Process]:
    """The processes that serve and those that hash for them, which are there once somebody has registered."""
    return [each for process in fleet.processes for each in (process, *process.children())]


def _read(hall: Hall, match: Match, seconds: float, name: str = _ALONE) -> None:
    (fleet,) = hall.fleets
    asks = [Ask("GET", f"/api/v1/events/{event}") for event in hall.sample.settled]
    scripts = [[ask.written(token) for ask in asks] for token in fleet.tokens[:_READERS]]
    sent = send(Load(fleet.ports, scripts, seconds, warm=0.5))
    if sent.failures:
        raise RuntimeError(f"{sent.failures} of {sent.requests} reads failed: {sent.sample}")
    match.add(name, {"p99": sent.p99, "p50": sent.p50, "rate": sent.rate})


def _read_beside(hall: Hall, match: Match, scripts: list[list[bytes]], seconds: float) -> None:
    (fleet,) = hall.fleets
    flood = Load(fleet.ports, (scripts * _CROWD)[:_CROWD], seconds + 1.5, warm=0.0)
    with ThreadPoolExecutor(1) as beside:
        flooding = beside.submit(send, flood)
        _read(hall, match, seconds, _FLOODED)
        if (flooded := flooding.result()).failures:
            raise RuntimeError(f"{flooded.failures} of {flooded.requests} sign-ins failed: {flooded.sample}")


if __name__ == "__main__":
    program("signins", __doc__, measure)
