"""Imports: a file of events into a community, and once more when nothing has changed.

python -m bench.imports
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psycopg
from rich.status import Status

from bench.chapters import Chapter, Column, Match, at_least, at_most, program
from bench.hall import Hall
from bench.meters import cpu_of_postgres
from bench.rounds import take_turns
from bench.servers import MUSTER, install_peer, settings_of_muster
from muster.events import demo

_PEER = "Node.js with pg"
_COPIES = 16
_OWNER = "person1@bench.invalid"
_COLUMNS = (
    Column("rate", "rows/s"),
    Column("seconds", "seconds", ".2f"),
    Column("server", "CPU ms of a row, program", ".3f"),
    Column("postgres", "PostgreSQL", ".3f"),
)
_NOTES = """
300 conferences sixteen times over, each with a name and a day of its own: 4,800 rows, from the start of the program to its
end. Both read a file of JSON Lines, check each row, and write event, tags, room, the owner's place and seat. Ours in
batches of 500 rows a transaction, with facts, an audit row and an answer for every row; the peer, as one writes such a
script, row by row in one transaction for each hundred rows, and it tells nobody what became of them.
"""


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Let the contestants take turns, each time with a source of its own."""
    with ExitStack() as stack:
        hall = Hall(stack, 1, lambda step: status.update(f"imports: {step}"))
        file = hall.folder / "conferences.jsonl"
        rows = _write_rows(file, copies=1 if quick else _COPIES)
        chapter = Chapter("imports", "A file brought in", _NOTES, versions=hall.versions)
        first, again = (Match(f"{rows:,} rows, {when}", _COLUMNS) for when in ("new", "once more, unchanged"))
        chapter.matches += [first, again]
        runs = {MUSTER: partial(_ours, hall, file)}
        if peers:
            runs[_PEER] = partial(_theirs, hall, file, install_peer(hall.folder, hall.say))
        turns = [partial(_hold, hall, first, again, name, run, rows) for name, run in runs.items()]
        status.update("imports")
        take_turns(turns, rounds=1 if quick else 2)
        if not quick:
            chapter.targets += at_most("import of the file", 20, first.median(MUSTER, "seconds"), " s")
        chapter.targets += at_least("import: rate to the peer's", 1, first.ratio("rate", MUSTER, _PEER))
    return chapter


def _write_rows(file: Path, copies: int) -> int:
    source = Path(demo.__file__).parent / "conferences.jsonl"
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    made = [{**row, "name": f"{row['name']} {copy}"} for copy in range(copies) for row in rows]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in made))
    return len(made)


def _hold(hall: Hall, first: Match, again: Match, name: str, run: Callable[[str], list[str]], rows: int) -> None:
    """One round of one contestant: new rows, then the same ones."""
    source = f"{name} {time.monotonic_ns()}"
    for match in (first, again):
        began, spent, postgres = time.perf_counter(), _spent(), cpu_of_postgres(hall.postmaster)
        _run(hall, run(source))
        seconds = time.perf_counter() - began
        each = 1000 / rows
        match.add(
            name,
            {
                "rate": rows / seconds,
                "seconds": seconds,
                "server": (_spent() - spent) * each,
                "postgres": (cpu_of_postgres(hall.postmaster) - postgres) * each,
            },
        )
    with psycopg.connect(hall.superuser) as connection:
        found = connection.execute("select count(*) from events where source = %s", [source]).fetchone()
    if found != (rows,):
        raise RuntimeError(f"{name} brought in {found} of {rows} rows")


def _spent() -> float:
    """CPU seconds of all programs that have been run and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(hall: Hall, command: list[str]) -> None:
    environ = {**os.environ, **settings_of_muster(hall.urls), "PEER_DATABASE": hall.superuser}
    ran = subprocess.run(command, env=environ, cwd=hall.folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{command[:4]} failed: {ran.stderr[-500:]}")


def _ours(hall: Hall, file: Path, source: str) -> list[str]:
    report = hall.folder / "import.report.jsonl"
    command = [sys.executable, "-m", "muster.cli", "import", "events", str(file), "--source", source]
    return [*command, "--owner", _OWNER, "--report", str(report)]


def _theirs(hall: Hall, file: Path, node: Path, source: str) -> list[str]:
    script = hall.folder / "peer" / "import.mjs"
    return [str(node), str(script), str(file), source, str(hall.sample.tenant), _OWNER]


if __name__ == "__main__":
    program("imports", __doc__, measure)
