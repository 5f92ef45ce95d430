"""Chapters of the report: what contestants did in turns, as a table of medians, a page of its own and raw figures."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Protocol

import psutil
from cyclopts import App, Parameter
from rich.console import Console
from rich.status import Status

from muster.kit.processes import CannotRun

RESULTS = Path(__file__).parent / "results"

Figures = Mapping[str, float]
"""What one round measured, by the name of the figure."""


@dataclass(frozen=True)
class Column:
    """One figure of a table. name: of the figure. title: over the column. form: how it is written."""

    name: str
    title: str
    form: str = ",.0f"


@dataclass(frozen=True)
class Target:
    """What was set out to reach, and what was."""

    what: str
    wanted: str
    measured: str
    reached: bool

    def line(self) -> str:
        """As a row of a table."""
        return f"| {self.what} | {self.wanted} | {self.measured} | {'reached' if self.reached else 'missed'} |"


@dataclass
class Match:
    """One thing that every contestant does in turns. columns: of its table; rounds differ by the first of them."""

    title: str
    columns: Sequence[Column]
    rounds: dict[str, list[Figures]] = field(default_factory=dict)

    def add(self, name: str, figures: Figures) -> None:
        """One more round of a contestant."""
        self.rounds.setdefault(name, []).append(figures)

    def median(self, name: str, figure: str) -> float:
        """Of a contestant's rounds."""
        return median(each[figure] for each in self.rounds[name])

    def ratio(self, figure: str, ours: str, theirs: str) -> float | None:
        """How many times theirs ours is; None when they did not take part."""
        return self.median(ours, figure) / self.median(theirs, figure) if theirs in self.rounds else None

    def _spread(self, name: str) -> float:
        values = [each[self.columns[0].name] for each in self.rounds[name]]
        return max(values) / min(values) - 1

    def lines(self) -> Iterator[str]:
        """As a part of a page."""
        yield f"### {self.title}\n"
        yield f"| | {' | '.join(each.title for each in self.columns)} | rounds differ by |"
        yield "| --- " * (len(self.columns) + 2) + "|"
        for name in self.rounds:
            cells = (format(self.median(name, each.name), each.form) for each in self.columns)
            yield f"| {name} | {' | '.join(cells)} | {self._spread(name):.0%} |"
        yield ""


@dataclass
class Chapter:
    """One program's part of the report.

    name: of its files. notes: on what is fair and what is not.
    """

    name: str
    title: str
    notes: str
    matches: list[Match] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """As a part of a page."""
        yield f"## {self.title}\n"
        yield f"{self.notes.strip()}\n"
        for match in self.matches:
            yield from match.lines()

    def write(self, folder: Path) -> None:
        """Write <name>.md and <name>.json."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text("\n".join(self._page()) + "\n")
        (folder / f"{self.name}.json").write_text(json.dumps(asdict(self), indent=1) + "\n")

    def tell(self, console: Console) -> None:
        """Show it."""
        console.print("\n".join(self.lines()), markup=False, soft_wrap=True)

    def _page(self) -> Iterator[str]:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        yield f"{datetime.now(UTC):%Y-%m-%d}. {versions}. {psutil.cpu_count()} cores, shared by client, servers and stores."
        yield "Contestants take turns; figures are medians of the rounds.\n"
        yield from self.lines()
        if self.targets:
            yield from target_lines(self.targets)


def target_lines(targets: Sequence[Target]) -> Iterator[str]:
    """The table of targets."""
    yield "| what | target | measured | |\n| --- | --- | --- | --- |"
    yield from (each.line() for each in targets)
    yield ""


def at_least(what: str, wanted: float, measured: float | None, unit: str = "") -> list[Target]:
    """A target that more is better of; none when there is no measure."""
    return _target(what, f">= {wanted:,g}{unit}", measured, unit, lambda value: value >= wanted)


def at_most(what: str, wanted: float, measured: float | None, unit: str = "") -> list[Target]:
    """A target that less is better of; none when there is no measure."""
    return _target(what, f"<= {wanted:,g}{unit}", measured, unit, lambda value: value <= wanted)


def _target(
    what: str, wanted: str, measured: float | None, unit: str, is_reached: Callable[[float], bool]
) -> list[Target]:
    if measured is None:
        return []
    written = f"{measured:,.0f}" if measured >= 100 else f"{measured:,.2f}"
    return [Target(what, wanted, f"{written}{unit}", is_reached(measured))]


class Measure(Protocol):
    """Measures a chapter. quick: to see where one stands. peers: whether they take part. status: tells how far it is."""

    def __call__(self, *, quick: bool, peers: bool, status: Status) -> Chapter: ...


def program(name: str, help: str | None, measure: Measure) -> None:
    """Run one chapter by itself, and end with one sentence when it cannot."""
    app, console = App(name=f"python -m bench.{name}", help=help, version_flags=()), Console(stderr=True)

    @app.default
    def run(
        *,
        quick: Annotated[bool, Parameter(negative="")] = False,
        no_peer: Annotated[bool, Parameter(negative="")] = False,
        output: Path = RESULTS,
    ) -> None:
        """Measure, and write a page and the raw figures.

        Parameters
        ----------
        quick
            Smaller and shorter, to see where one stands.
        no_peer
            Muster alone, without npm.
        output
            The folder for both files.
        """
        with console.status("starting") as status:
            chapter = measure(quick=quick, peers=not no_peer, status=status)
        chapter.write(output)
        chapter.tell(console)

    try:
        app()
    except CannotRun as reason:
        sys.exit(f"bench.{name}: {reason}")
