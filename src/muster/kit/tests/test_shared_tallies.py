"""Rates that processes hold together are held as by one: to the one, to the second, by the store's clock."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import pytest

from muster.kit.caller import Claim, Origin
from muster.kit.errors import TooMany, Unavailable
from muster.kit.limiter import Limiter
from muster.kit.limits import API, AUTH, GLOBAL, READ, Limit, Rule, Rules
from muster.kit.store.address import StoreAddress
from muster.kit.store.store import Store, opened_store
from muster.kit.tallies import FINENESS, VIOLATIONS, Standing
from muster.kit.tests import drawing
from muster.testing.throwaway import ThrowawayStore, throwaway_store

ADDRESS = "192.0.2.1"
PROCESSES, TIMES = 8, 40
_persons = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayStore]:
    with throwaway_store() as found:
        yield found


@pytest.fixture
async def store(server: ThrowawayStore) -> AsyncIterator[Store]:
    async with opened_store(StoreAddress.of(server.url)) as found:
        assert found is not None
        await found.ask("FLUSHALL")
        yield found


def _origin(limiter: Limiter | None = None) -> Origin:
    """Somebody new; where a limiter is given, they came in by it."""
    arrival = None if limiter is None else limiter.enter(ADDRESS)
    claim = Claim(UUID(int=0), UUID(int=next(_persons)))
    return Origin(claim, datetime.now(UTC), "r", ADDRESS, arrival=arrival)


async def _refused(limiter: Limiter, origin: Origin, *limits: Limit) -> TooMany | None:
    try:
        await limiter.draw(limits, origin)
    except TooMany as refusal:
        return refusal
    return None


def test_eight_processes_let_in_exactly_as_many_as_there_may_be(server: ThrowawayStore) -> None:
    command = [sys.executable, "-m", drawing.__name__, server.url, str(PROCESSES), str(TIMES)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    let_in = [int(line) for line in told.splitlines()]
    assert len(let_in) == PROCESSES
    assert sum(let_in) == min(rule.most for rules in drawing.RULES.values() for rule in rules)
    assert len([each for each in let_in if each]) > 1, "more than one of them drew at a time"


async def test_a_bucket_is_shared_and_the_wait_is_true_by_the_stores_clock(store: Store) -> None:
    rules: Rules = {API: (Rule(5, 1),), READ: (Rule(3, 60),)}
    one, other, origin = Limiter(rules, store=store), Limiter(rules, store=store), _origin()
    for limiter in (one, other, one, other):
        assert await _refused(limiter, origin, API) is None
    refusal = await _refused(one, origin, API, API)
    assert refusal is not None, "two from a bucket with room for one"
    assert refusal.details == {"retryAfter": 1, "bucket": "api", "currentCount": 4, "maxAllowed": 5}
    assert await _refused(other, origin, API, READ) is None
    refusal = await _refused(one, origin, API, READ)
    assert refusal is not None
    wait = await _wait(one, origin)
    assert 0 < wait <= 1
    await asyncio.sleep(wait)
    assert await _refused(other, origin, API) is None
    assert await _refused(other, origin, READ, READ) is None, "what was refused as a whole drew nothing"
    assert (await _refused(other, origin, READ)) is not None


async def _wait(limiter: Limiter, origin: Origin) -> float:
    """What the script says of one more, to the millisecond."""
    assert limiter._shared is not None
    standing: Standing = await limiter._shared.take((), limiter._draws(API, 1, origin))
    return standing.wait


async def test_a_large_bucket_takes_little_room_and_all_of_it_ends_by_itself(store: Store) -> None:
    limiter, origin = Limiter({READ: (Rule(300, 60),)}, store=store), _origin()
    for _ in range(300):
        assert await _refused(limiter, origin, READ) is None
    refusal = await _refused(limiter, origin, READ)
    assert refusal is not None
    assert 60 - 5 <= int(refusal.headers["Retry-After"]) <= 61
    (key,) = await store.ask("KEYS", "*")
    assert await store.ask("STRLEN", key) < FINENESS * 10 + 20
    assert 0 < await store.ask("PTTL", key) <= 61_000


async def test_a_request_goes_in_one_script_and_its_address_counts_also_when_nothing_else_does(store: Store) -> None:
    limiter = Limiter({GLOBAL: (Rule(3, 60),), API: (Rule(1, 60),)}, store=store)
    before = await _scripts_run(store)
    assert await _refused(limiter, _origin(limiter), API) is None
    assert await _scripts_run(store) == before + 1
    origin = _origin(limiter)
    await asyncio.sleep(0)
    assert await _refused(limiter, origin, API) is None, "it went alone meanwhile, and counts once"
    assert origin.arrival is not None
    assert origin.arrival.standing is not None
    lonely = _origin(limiter).arrival
    await asyncio.sleep(0)
    assert lonely is not None
    assert lonely.alone is not None
    await lonely.alone
    refusal = await _refused(limiter, _origin(limiter), API)
    assert refusal is not None
    assert (refusal.details["bucket"], refusal.details["currentCount"]) == ("global", 3)


async def _scripts_run(store: Store) -> int:
    told = (await store.ask("INFO", "commandstats")).decode()
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in told.split("\r\n") if "_eval" in line)


@pytest.mark.parametrize("is_production", [True, False])
async def test_bans_are_held_in_the_store_too(store: Store, is_production: bool) -> None:
    rules: Rules = {API: (Rule(1, 100),)}
    one, other = (Limiter(rules, is_production=is_production, store=store) for _ in range(2))
    origin = _origin()
    await one.draw((API,), origin)
    await asyncio.sleep(0.05)
    waits = []
    for number in range(VIOLATIONS + 1):
        standing = await _wait((one, other)[number % 2], origin)
        waits.append(standing)
    assert waits == sorted(waits, reverse=True) or is_production
    assert (waits[-1] > waits[0]) is is_production, "a ban begins anew"


async def test_a_clock_that_was_set_back_keeps_nobody_waiting_longer(store: Store) -> None:
    limiter, origin = Limiter({API: (Rule(1, 10),)}, store=store), _origin()
    await limiter.draw((API,), origin)
    (key,) = await store.ask("KEYS", "*")
    # The tally as it was written by a clock that was a day ahead.
    ahead = "local t = cmsgpack.unpack(redis.call('GET', KEYS[1])) t[1] = t[4] + 864e5 t[4] = t[4] + 864e5 redis.call('SET', KEYS[1], cmsgpack.pack(t))"
    await store.ask("EVAL", ahead, 1, key)
    assert 0 < await _wait(limiter, origin) <= 10


async def test_a_store_that_refuses_counts_as_away(store: Store) -> None:
    limiter, reader = Limiter({READ: (Rule(2, 60),), AUTH: (Rule(2, 60),)}, store=store), _origin()
    await store.ask("ACL", "SETUSER", "default", "-evalsha", "-eval")
    try:
        assert [await _refused(limiter, reader, READ) is None for _ in range(3)] == [True, True, False]
        with pytest.raises(Unavailable):
            await limiter.draw((AUTH,), reader)
        assert "NOPERM" in limiter._told
    finally:
        await store.ask("ACL", "SETUSER", "default", "+evalsha", "+eval")


async def test_while_the_store_is_away_reads_count_here_and_signing_in_waits(
    server: ThrowawayStore, store: Store
) -> None:
    rules: Rules = {GLOBAL: (Rule(1, 60),), READ: (Rule(2, 60),), AUTH: (Rule(2, 60),)}
    limiter, reader = Limiter(rules, store=store), _origin()
    server.stop()
    try:
        assert [await _refused(limiter, reader, READ) is None for _ in range(3)] == [True, True, False]
        with pytest.raises(Unavailable) as refused:
            await limiter.draw((AUTH,), _origin(limiter))
        assert int(refused.value.headers["Retry-After"]) >= 1
        with pytest.raises(TooMany):
            await limiter.draw((AUTH,), _origin(limiter))
    finally:
        server.start()
    async with asyncio.timeout(10):
        while not store.is_there:  # noqa: ASYNC110 - it tells only who listens
            await asyncio.sleep(0.01)
    await limiter.draw((AUTH,), _origin(limiter))
