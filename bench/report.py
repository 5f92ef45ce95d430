"""The report: a page for people, the same figures as JSON, and a picture."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.chapters import Chapter
from bench.floor import Floor
from bench.isolation import Cost
from bench.picture import Bar, picture
from bench.rounds import Bout, Figures
from bench.servers import MUSTER, PEER_NAME

AGAIN = f"{MUSTER} again"
"""Ours measured a second time in the same turns: how far two runs of one thing lie apart here."""

_ISOLATION_MOST = 0.10
_MEMORY_MOST = 200
# What the house has set out to reach; ratios of medians in one run, ours to the peer's. None: one per core.
_RATIOS = {("nested", 1): 4.0, ("nested", None): 3.0, ("single", 1): 1.5, ("list", 1): 1.0, ("get", 1): 1.0}
_CPU_MOST = {"nested": 0.25, "single": 0.15}


@dataclass
class Report:
    """What was measured. only_ours: fields that only our answers hold. failed: why a chapter is not there."""

    mode: str
    versions: dict[str, str] = field(default_factory=dict)
    only_ours: list[str] = field(default_factory=list)
    bouts: list[Bout] = field(default_factory=list)
    floors: dict[str, Floor] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def write_report(report: Report, folder: Path) -> None:
    """Write report.md, report.json and report.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text("\n".join(_page(report)) + "\n")
    (folder / "report.json").write_text(json.dumps(_data(report), indent=1) + "\n")
    (folder / "report.svg").write_text(picture(_bars(report)))


def _page(report: Report) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    yield "# Muster beside its peers\n"
    yield f"{datetime.now(UTC):%Y-%m-%d}, {report.mode} run. {versions}."
    yield f"{psutil.cpu_count()} cores, shared by client, servers and PostgreSQL. 20,000 people, 10,000 events,"
    yield "200,000 memberships, 200,000 messages; 32 signed-in callers, each waiting for its answer. Both sides take turns,"
    yield "and figures are medians of the rounds. Ours runs with row security and everything else on; the peer's role sees"
    yield "every row. `make bench` writes this page. Rates are of one machine on one day; ratios and CPU hold better."
    yield from _noise(report)
    yield "![requests a second](report.svg)\n"
    if report.only_ours:
        yield f"Answered by ours alone, at our cost: {', '.join(report.only_ours)}.\n"
    yield from _targets(report)
    for bout in report.bouts:
        yield from _bout(bout, report.floors)
    yield from _costs(report.costs)
    for chapter in report.chapters:
        yield from chapter.lines()
    for name, reason in report.failed.items():
        yield f"## {name}\n\nCould not be measured: {reason}\n"


def _noise(report: Report) -> Iterator[str]:
    """How far two runs of one thing lie apart on this machine."""
    for bout in report.bouts:
        figures = bout.figures()
        if AGAIN in figures:
            apart = abs(figures[AGAIN].rate / figures[MUSTER].rate - 1)
            yield f"Noise: ours twice in the same turns ({bout.scenario.name}) differs by {apart:.0%};"
            yield "what is not further apart than that, or than its own rounds, is the same."
    yield ""


def _targets(report: Report) -> Iterator[str]:
    yield "## Targets\n\n| what | target | measured | |\n| --- | --- | --- | --- |"
    for bout in report.bouts:
        name, figures = bout.scenario.name, bout.figures()
        key = (name, 1 if bout.processes == 1 else None)
        where = f"{name}, {_processes(bout.processes)}"
        if key in _RATIOS and PEER_NAME in figures:
            ratio = figures[MUSTER].rate / figures[PEER_NAME].rate
            yield _target(f"{where}: rate to the peer's", f">= {_RATIOS[key]:g}", f"{ratio:.2f}", ratio >= _RATIOS[key])
        if bout.processes == 1 and name in _CPU_MOST:
            cpu, most = figures[MUSTER].server, _CPU_MOST[name]
            yield _target(f"{where}: CPU of the API", f"<= {most} ms", f"{cpu:.3f} ms", cpu <= most)
    for cost in report.costs:
        yield _target(f"isolation, {cost.title}", "<= 10 %", f"{cost.extra:+.0%}", cost.extra <= _ISOLATION_MOST)
    if report.bouts:
        memory = max(bout.memory[MUSTER] for bout in report.bouts)
        yield _target("memory of an API process", f"< {_MEMORY_MOST} MB", f"{memory:.0f} MB", memory < _MEMORY_MOST)
    for chapter in report.chapters:
        yield from (each.line() for each in chapter.targets)
    yield ""


def _target(what: str, target: str, measured: str, reached: object) -> str:
    return f"| {what} | {target} | {measured} | {'reached' if reached else 'missed'} |"


def _bout(bout: Bout, floors: dict[str, Floor]) -> Iterator[str]:
    yield f"## {bout.scenario.title}, {_processes(bout.processes)}\n"
    yield "| | requests/s | p50 ms | p99 ms | CPU ms, server | PostgreSQL | client | rounds differ by | MB |"
    yield "| --- " * 9 + "|"
    for name, each in bout.figures().items():
        yield (
            f"| {name} | {each.rate:,.0f} | {each.p50:.2f} | {each.p99:.2f} | {each.server:.3f} | {each.postgres:.3f} "
            f"| {each.client:.3f} | {each.spread:.0%} | {bout.memory[name]:.0f} |"
        )
    floor = floors.get(bout.scenario.name)
    if floor is not None:
        yield f"| the same statement by pgbench | {floor.rate:,.0f} | | | | {floor.cpu:.3f} | | | |"
    yield ""


def _costs(costs: list[Cost]) -> Iterator[str]:
    if not costs:
        return
    yield "## What isolation costs PostgreSQL\n"
    yield "The same rows by the same statement, as the role that serves under row security, and as a superuser with"
    yield "`tenant_id = ...` written at every table and no finder in between.\n"
    yield "| read | isolated, ms | bare, ms | isolation adds |\n| --- | --- | --- | --- |"
    for cost in costs:
        yield f"| {cost.title} | {cost.isolated_cpu:.3f} | {cost.bare_cpu:.3f} | {cost.extra:+.0%} |"


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"


def _data(report: Report) -> dict[str, object]:
    def named(figures: dict[str, Figures]) -> dict[str, object]:
        return {name: asdict(each) for name, each in figures.items()}

    return {
        "mode": report.mode,
        "versions": report.versions,
        "onlyOurs": report.only_ours,
        "bouts": [
            {
                "scenario": bout.scenario.name,
                "processes": bout.processes,
                "figures": named(bout.figures()),
                "rounds": {name: [asdict(each) for each in rounds] for name, rounds in bout.rounds.items()},
                "memoryMB": bout.memory,
            }
            for bout in report.bouts
        ],
        "chapters": [asdict(each) for each in report.chapters],
        "failed": report.failed,
        "pgbench": {name: asdict(floor) for name, floor in report.floors.items()},
        "isolation": [
            {"read": each.title, "isolatedMs": each.isolated_cpu, "bareMs": each.bare_cpu, "adds": each.extra}
            for each in report.costs
        ],
    }


def _bars(report: Report) -> dict[str, list[Bar]]:
    return {
        f"{bout.scenario.title}, {_processes(bout.processes)}": [
            Bar(name, each.rate, is_ours=name == MUSTER) for name, each in bout.figures().items() if name != AGAIN
        ]
        for bout in report.bouts
    }
