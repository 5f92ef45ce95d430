"""`make bench`: makes the rows, starts Muster and its peers, holds the rounds, writes the report."""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import psutil
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import fanout, finding, imports, jobs, joins, refresh, signins
from bench.chapters import RESULTS, Measure
from bench.floor import Floor, pgbench
from bench.hall import Hall
from bench.isolation import costs, price, same_rows
from bench.report import AGAIN, Report, write_report
from bench.rounds import Arena, Bout, same_answers, take_turns
from bench.scenarios import SCENARIOS, Scenario
from bench.statements import Statements
from muster.kit.processes import CannotRun

ISOLATION = "isolation"
CHAPTERS: dict[str, Measure] = {
    "joins": joins.measure,
    "refresh": refresh.measure,
    "signins": signins.measure,
    "jobs": jobs.measure,
    "fanout": fanout.measure,
    "imports": imports.measure,
    "finding": finding.measure,
}
_KNOWN = {each.name for each in SCENARIOS} | {ISOLATION} | CHAPTERS.keys()

T = TypeVar("T")


@dataclass(frozen=True)
class Mode:
    """How thoroughly to measure.

    seconds, warm: of a round. rounds: of each contestant in each scenario. fleets: the numbers of processes to try.
    """

    name: str
    seconds: float
    warm: float
    rounds: int
    fleets: tuple[int, ...]


# Rounds long enough to publish, on one process and on every core; or short ones, to see where one stands.
FULL = Mode("full", seconds=3.0, warm=0.6, rounds=3, fleets=(1, psutil.cpu_count() or 1))
QUICK = Mode("quick", seconds=1.2, warm=0.4, rounds=3, fleets=(1,))

app = App(name="make bench", help=__doc__, version_flags=())
console = Console(stderr=True)


@app.default
def bench(
    *,
    quick: Annotated[bool, Parameter(negative="")] = False,
    no_peer: Annotated[bool, Parameter(negative="")] = False,
    only: Annotated[str, Parameter(show_default=False)] = "",
    output: Path = RESULTS,
) -> None:
    """Measure Muster beside Fastify + Mercurius and beside pgbench, and write a report.

    Takes about eighteen minutes, or five with --quick. It may be stopped and started again at any time: rows and packages
    stay below MUSTER_DATA_DIR for the next run. The peer's packages come from npm at the first run.

    Example: make bench ARGS="--quick --only nested,single"

    Parameters
    ----------
    quick
        Short rounds, and one process on either side.
    no_peer
        Muster and pgbench alone, without npm.
    only
        What to measure, with commas between: nested, single, get, list, join, isolation; joins, refresh, jobs, fanout,
        imports, finding.
    output
        The folder for report.md, report.json and report.svg.
    """
    wanted = {name for name in only.split(",") if name} or _KNOWN
    if unknown := wanted - _KNOWN:
        raise CannotRun(f"There is nothing to measure called {', '.join(sorted(unknown))}; see --help.")
    mode = QUICK if quick else FULL
    report = Report(mode.name)
    if wanted - CHAPTERS.keys():
        _measure_requests(report, mode, wanted, peers=not no_peer)
        write_report(report, output)
    for name, measure in CHAPTERS.items():
        if name in wanted:
            _measure_chapter(report, name, measure, quick=quick, peers=not no_peer)
            write_report(report, output)
    console.print(f"The report is in {output}: report.md, report.json and report.svg.")
    if report.failed:
        raise CannotRun("some of it could not be measured; the report says what")


def _measure_chapter(report: Report, name: str, measure: Measure, *, quick: bool, peers: bool) -> None:
    """One more chapter; what goes wrong in it is told in the report, and costs no other."""
    with console.status(name) as status:
        try:
            report.chapters.append(measure(quick=quick, peers=peers, status=status))
        except Exception as error:  # noqa: BLE001 - whatever it is, what was measured before is kept
            console.print_exception()
            report.failed[name] = f"{type(error).__name__}: {error}"


def _measure_requests(report: Report, mode: Mode, wanted: set[str], *, peers: bool) -> None:
    with ExitStack() as stack:
        with console.status("starting") as status:
            hall = Hall(stack, max(mode.fleets), lambda step: status.update(f"preparing: {step}"))
            hall.start_muster()
            if peers:
                hall.start_peer()
        _hold_all(report, hall, mode, wanted)


def _hold_all(report: Report, hall: Hall, mode: Mode, wanted: set[str]) -> None:
    scenarios = [each for each in SCENARIOS if each.name in wanted]
    arena = Arena(hall.postmaster, hall.sample, mode.seconds, mode.warm)
    report.versions |= hall.versions
    if len(hall.fleets) > 1:
        report.only_ours = sorted(same_answers(scenarios, hall.sample, *hall.fleets))
    seconds = math.ceil(mode.seconds / 2)
    with _progress() as progress:
        bouts = [Bout(scenario, count) for count in mode.fleets for scenario in scenarios]
        _hold(hall, arena, mode, _tracked(progress, "reads", [each for each in bouts if not each.scenario.changes]))
        statements = hall.statements()
        for scenario in _tracked(progress, "pgbench", [each for each in scenarios if not each.changes]):
            report.floors[scenario.name] = _floor(hall, statements, scenario, seconds)
        if ISOLATION in wanted:
            for cost in _tracked(progress, ISOLATION, costs(statements)):
                same_rows(cost, hall.urls.app, hall.superuser)
                turn = price(cost, hall.urls.app, hall.superuser, hall.postmaster, hall.folder, seconds=seconds)
                take_turns([turn], rounds=2 * mode.rounds)
                report.costs.append(cost)
        # Last, since reads would walk over the versions of rows that these leave behind.
        _hold(hall, arena, mode, _tracked(progress, "writes", [each for each in bouts if each.scenario.changes]))
    report.bouts += bouts


def _hold(hall: Hall, arena: Arena, mode: Mode, bouts: Iterable[Bout]) -> None:
    """Let the contestants take turns; in the first bout ours does so twice."""
    for number, bout in enumerate(bouts):
        turns = [partial(arena.hold, bout, fleet) for fleet in hall.fleets]
        if number == 0:
            turns.append(partial(arena.hold, bout, hall.fleets[0], name=AGAIN))
        take_turns(turns, rounds=mode.rounds)


def _floor(hall: Hall, statements: Statements, scenario: Scenario, seconds: int) -> Floor:
    sql = statements.of(scenario.name).isolated()
    return pgbench(sql, hall.urls.app, hall.postmaster, hall.folder, seconds=seconds)


def _progress() -> Progress:
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _tracked(progress: Progress, title: str, things: Sequence[T]) -> Iterator[T]:
    task = progress.add_task(title, total=len(things))
    for each in things:
        yield each
        progress.advance(task)


def main() -> None:
    """Run, and end with one sentence when it cannot."""
    try:
        app()
    except CannotRun as reason:
        sys.exit(f"make bench: {reason}")


if __name__ == "__main__":
    main()
