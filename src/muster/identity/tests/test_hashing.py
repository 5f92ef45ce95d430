"""Hashes of passwords: few at once, off the event loop, and made anew when the parameters have grown."""

import asyncio

import psutil
import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from muster.identity import hashers
from muster.identity.hashers import PROCESSES, TooManyHashes
from muster.identity.hashing import NICENESS
from muster.identity.passwords import hash_password, password_matches
from muster.identity.tests.people import ANN, PASSWORD, register
from muster.testing.below import change, value
from muster.testing.client import Client
from muster.testing.serving import Service

_OF_YORE = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1, type=Type.ID)


async def _stored(service: Service) -> str:
    found: str = await value(service.urls, "select hash from passwords")
    return found


async def test_a_hash_is_made_by_the_parameters_of_owasp() -> None:
    # OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two iterations, one lane.
    found = extract_parameters(await hash_password(PASSWORD))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19 * 1024, 2, 1)


@pytest.mark.parametrize("command", ["login", "stepUp"])
async def test_the_right_password_is_hashed_anew_when_the_parameters_have_grown(service: Service, command: str) -> None:
    await register(service)
    ann = Client(service, (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()["accessToken"])
    old = _OF_YORE.hash(PASSWORD)
    await change(service.urls, "update passwords set hash = $1", old)
    assert (await Client(service).call("login", email=ANN, password="not the password")).code == "WRONG_CREDENTIALS"
    assert await _stored(service) == old
    changed_at = await value(service.urls, "select changed_at from passwords")
    if command == "login":
        tries = (Client(service).call("login", email=ANN, password=PASSWORD) for _ in range(3))
        for answer in await asyncio.gather(*tries):
            answer.ok()
    else:
        (await ann.call("stepUp", password=PASSWORD)).ok()
    now = await _stored(service)
    assert extract_parameters(now).memory_cost == 19 * 1024
    assert await value(service.urls, "select changed_at from passwords") == changed_at
    (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    assert await _stored(service) == now


def _hashers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "muster.identity.hashing" in each.cmdline()]


async def test_many_hashes_take_few_processes_that_give_way_and_leave_the_loop_alone() -> None:
    turns = 0
    waiting = asyncio.gather(*(hash_password(f"{PASSWORD} {number}") for number in range(6)))
    while not waiting.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(set(await waiting)) == 6
    assert [each.nice() for each in _hashers()] == [min(psutil.Process().nice() + NICENESS, 19)] * PROCESSES
    # Were they made on the loop, it would have had one turn for each.
    assert turns > 6


async def test_a_hasher_that_dies_is_started_anew() -> None:
    stored = await hash_password(PASSWORD)
    for each in _hashers():
        each.kill()
    answers = await asyncio.gather(*(password_matches(stored, PASSWORD) for _ in range(4)))
    assert answers == [True] * 4
    assert not await password_matches(stored, "not the password")


async def test_who_would_wait_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashers, "_MOST_WAITING", 3)
    tries = [hash_password(f"{PASSWORD} {number}") for number in range(5)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(each, str) for each in answers] == [True] * 3 + [False] * 2
    refused = answers[-1]
    assert isinstance(refused, TooManyHashes)
    assert (refused.status, refused.headers) == (503, {"Retry-After": "1"})
    assert await hash_password(PASSWORD)
