"""Rounds: contestants take turns at each scenario, so that whatever disturbs the machine disturbs all of them."""

import http.client
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any

import psutil

from bench.chapters import Column
from bench.data import Sample
from bench.load import Load, send
from bench.meters import cpu_of, cpu_of_postgres, memory_of
from bench.scenarios import Scenario, differences, only_ours
from bench.servers import Fleet

_turns = count()


@dataclass(frozen=True)
class Round:
    """What one round measured.

    rate: requests a second. p50, p99: ms. server, postgres, client: CPU of each for one request, in ms.
    """

    rate: float
    p50: float
    p99: float
    server: float
    postgres: float
    client: float


@dataclass(frozen=True)
class Figures:
    """The medians of a contestant's rounds. spread: of the rates, largest over smallest less one."""

    rate: float
    p50: float
    p99: float
    server: float
    postgres: float
    client: float
    spread: float

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> "Figures":
        """Take the median of each figure by itself."""
        names = ("rate", "p50", "p99", "server", "postgres", "client")
        rates = [each.rate for each in rounds]
        medians = {name: median(getattr(each, name) for each in rounds) for name in names}
        return cls(**medians, spread=max(rates) / min(rates) - 1)


@dataclass
class Bout:
    """One scenario on one number of processes: the rounds of every contestant, by name."""

    scenario: Scenario
    processes: int
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Figures]:
        """The medians by contestant."""
        return {name: Figures.of(rounds) for name, rounds in self.rounds.items()}


@dataclass(frozen=True)
class Arena:
    """Where rounds are held. seconds, warm: of a round. sample: what can be asked for."""

    postmaster: psutil.Process
    sample: Sample
    seconds: float
    warm: float

    def hold(self, bout: Bout, fleet: Fleet, *, name: str | None = None) -> None:
        """One round of one contestant. name: to count it under, when not the contestant's own."""
        processes = fleet.processes[: bout.processes]
        scripts = bout.scenario.scripts(self.sample, fleet.tokens, next(_turns))
        load = Load(fleet.ports[: bout.processes], scripts, self.seconds, self.warm, again=not bout.scenario.changes)
        found = measured(fleet.name, processes, self.postmaster, load)
        bout.rounds.setdefault(name or fleet.name, []).append(found)
        bout.memory[name or fleet.name] = max(memory_of(each) for each in processes)


def measured(name: str, processes: Sequence[psutil.Process], postmaster: psutil.Process, load: Load) -> Round:
    """Send a load to a contestant, and answer with what that measured. Raises RuntimeError when a request failed."""
    server, postgres = cpu_of(processes), cpu_of_postgres(postmaster)
    sent = send(load)
    spent = (cpu_of(processes) - server, cpu_of_postgres(postmaster) - postgres, sent.client)
    if sent.failures:
        raise RuntimeError(f"{name} failed {sent.failures} of {sent.requests} requests: {sent.sample}")
    return Round(sent.rate, sent.p50, sent.p99, *(1000 * each / sent.requests for each in spent))


def columns(rate: str, one: str, latency: str) -> tuple[Column, ...]:
    """The table of a chapter that measures rounds, and memory. one: what a request is. latency: how ms are written."""
    return (
        Column("rate", rate),
        Column("p50", "p50 ms", latency),
        Column("p99", "p99 ms", latency),
        Column("server", f"CPU ms of {one}, server", ".3f"),
        Column("postgres", "PostgreSQL", ".3f"),
        Column("client", "client", ".3f"),
        Column("memory", "MB", ".0f"),
    )


def same_answers(scenarios: Sequence[Scenario], sample: Sample, ours: Fleet, theirs: Fleet) -> set[str]:
    """Check that both contestants answer alike; gives back the fields that only ours answers with.

    Raises RuntimeError where they say different things: such a comparison would mean nothing.
    """
    more: set[str] = set()
    for scenario in scenarios:
        if scenario.changes:
            continue
        mine, other = (_answer(fleet, scenario, sample) for fleet in (ours, theirs))
        if lines := differences(mine, other):
            raise RuntimeError(f"{scenario.name}: the answers differ: {'; '.join(lines[:5])}")
        more |= only_ours(mine, other)
    return more


def _answer(fleet: Fleet, scenario: Scenario, sample: Sample) -> Any:
    ask = scenario.asks(sample, 0, next(_turns))[0]
    connection = http.client.HTTPConnection("127.0.0.1", fleet.ports[0], timeout=30)
    headers = {"Authorization": f"Bearer {fleet.tokens[0]}", "Content-Type": "application/json"}
    connection.request(ask.method, ask.path, ask.body or None, headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{fleet.name} answers {scenario.name} with {answer.status}: {body[:300]!r}")
    return json.loads(body)


def take_turns(turns: Sequence[Callable[[], None]], *, rounds: int) -> None:
    """A, B, A, B ...: every contestant once in each round."""
    for _ in range(rounds):
        for turn in turns:
            turn()
