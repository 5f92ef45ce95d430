"""Rates are held to the one and to the second, whoever asks, and no flood fills the memory."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from muster.kit import tallies as module
from muster.kit.caller import Claim, Origin
from muster.kit.errors import TooMany
from muster.kit.limiter import Limiter
from muster.kit.limits import API, AUTH, GLOBAL, READ, Limit, Rule
from muster.kit.tallies import FINENESS, VIOLATIONS

TENANT, PERSON, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
BOTH = (Rule(30, 30), Rule(5, 5))
LARGE = Rule(200, 60)


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _origin(person: UUID | None = PERSON, address: str = HERE) -> Origin:
    return Origin(Claim(TENANT, person), datetime.now(UTC), "r", address)


async def _wait(limiter: Limiter, origin: Origin, *limits: Limit) -> object:
    """Seconds until the client may come back; 0 when it was let in."""
    try:
        await limiter.draw(limits, origin)
    except TooMany as refusal:
        return refusal.details["retryAfter"]
    return 0


@pytest.mark.parametrize("rules", [BOTH, (LARGE,)])
async def test_rules_hold_in_any_stretch(rules: tuple[Rule, ...]) -> None:
    clock, let_in = _Clock(), []
    limiter, origin = Limiter({API: rules}, clock=clock), _origin()
    for _ in range(1000):
        if await _wait(limiter, origin, API) == 0:
            let_in.append(clock.now)
        clock.now += 0.125
    assert let_in
    for rule in rules:
        fullest = max(sum(start <= each < start + rule.seconds for each in let_in) for start in let_in)
        assert fullest == rule.most


async def test_the_wait_is_true_to_the_second() -> None:
    clock = _Clock()
    limiter, origin = Limiter({API: BOTH}, clock=clock), _origin()
    assert [await _wait(limiter, origin, API) for _ in range(6)] == [0] * 5 + [5]
    clock.now += 4.5
    assert await _wait(limiter, origin, API) == 1
    clock.now += 0.5
    assert await _wait(limiter, origin, API) == 0


async def test_a_large_bucket_is_kept_in_sixtieths_and_never_opens_too_early() -> None:
    clock = _Clock()
    limiter, origin = Limiter({API: (LARGE,)}, clock=clock), _origin()
    clock.now += 0.4
    assert {await _wait(limiter, origin, API) for _ in range(LARGE.most)} == {0}
    ((_, tally),) = limiter._tallies._kept.items()
    assert len(tally.ends) == 1
    assert await _wait(limiter, origin, API) == 61
    clock.now += 60.5
    assert await _wait(limiter, origin, API) == 1
    clock.now += 0.1
    assert await _wait(limiter, origin, API) == 0
    for _ in range(1000):
        await _wait(limiter, origin, API)
        clock.now += 0.05
    assert len(tally.ends) <= FINENESS + 1


async def test_a_request_over_one_limit_draws_from_none() -> None:
    limiter = Limiter({API: (Rule(1, 60),), READ: (Rule(2, 60),)}, clock=_Clock())
    assert await _wait(limiter, _origin(), API, READ, READ, READ) == 60
    assert await _wait(limiter, _origin(), API, READ, READ) == 0


async def test_a_person_counts_wherever_they_are_and_signing_in_counts_by_address() -> None:
    limiter = Limiter({API: (Rule(1, 60),), AUTH: (Rule(1, 60),)}, clock=_Clock())
    assert await _wait(limiter, _origin(), API) == 0
    assert await _wait(limiter, _origin(address=ELSEWHERE), API) == 60
    assert await _wait(limiter, _origin(OTHER), API) == 0
    assert await _wait(limiter, _origin(), AUTH) == 0
    assert await _wait(limiter, _origin(OTHER), AUTH) == 60
    assert await _wait(limiter, _origin(address=ELSEWHERE), AUTH) == 0


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", HERE, True),
    ],
)
async def test_a_network_of_ipv6_is_one_caller(first: str, second: str, is_one: bool) -> None:
    limiter = Limiter({API: (Rule(1, 60),)}, clock=_Clock())
    assert await _wait(limiter, _origin(None, first), API) == 0
    assert await _wait(limiter, _origin(None, second), API) == (60 if is_one else 0)


@pytest.mark.parametrize("is_production", [True, False])
async def test_who_does_not_stop_is_banned_for_the_window_in_production(is_production: bool) -> None:
    clock = _Clock()
    limiter = Limiter({API: (Rule(1, 60),)}, is_production=is_production, clock=clock)
    assert await _wait(limiter, _origin(), API) == 0
    clock.now += 50
    waits = [await _wait(limiter, _origin(), API) for _ in range(VIOLATIONS)]
    assert waits == [10] * (VIOLATIONS - 1) + [60 if is_production else 10]
    clock.now += 10
    assert await _wait(limiter, _origin(), API) == (50 if is_production else 0)
    clock.now += 50
    assert await _wait(limiter, _origin(), API) == (0 if is_production else 10)


def test_a_flood_of_addresses_is_forgotten_and_who_keeps_asking_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TALLIES", 10)
    limiter = Limiter({GLOBAL: (Rule(100, 60),)}, is_production=True, clock=_Clock())
    for number in range(100):
        limiter.enter(HERE)
        limiter.enter(f"198.51.100.{number}")
    assert len(limiter._tallies._kept) == 10
    with pytest.raises(TooMany):
        limiter.enter(HERE)
