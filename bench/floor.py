"""The floor: the same statements by pgbench, with no server in between; and what isolation adds to them."""

import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psutil

from bench.meters import cpu_of_postgres
from muster.kit.db.binaries import ServerUser, environment, reachable_programs

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_COLON_BEFORE_NAME = re.compile(r"(?<!:):(?=\w)")
_TPS = re.compile(r"tps = ([\d.]+) \(without")
# As in the pools of the processes that serve.
_ENVIRONMENT = environment() | {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
_LEAVING_SECONDS = 5.0
# Enough to keep two cores busy; each plans the statement anew, and that is not what is measured.
_CLIENTS = 2
_DONE = re.compile(r"number of transactions actually processed: (\d+)")


@dataclass(frozen=True)
class Sql:
    """A statement with `$1`, `$2` ... and the values that fill them."""

    text: str
    values: tuple[object, ...]

    @property
    def script(self) -> str:
        """The statement for pgbench, which writes parameters as `:p1` and would take `:MI` in a literal for one.

        It has no parameter that is null, so a null stands in the text.
        """
        text = _LITERAL.sub(_without_colons, self.text)
        return re.sub(r"\$(\d+)", lambda found: self._parameter(int(found[1])), text).replace("\n", " ") + ";\n"

    def _parameter(self, number: int) -> str:
        return "null" if self.values[number - 1] is None else f":p{number}"

    @property
    def variables(self) -> Mapping[str, str]:
        """What pgbench is given for the parameters."""
        given = ((f"p{number}", value) for number, value in enumerate(self.values, start=1))
        return {name: _written(value) for name, value in given if value is not None}


@dataclass(frozen=True)
class Floor:
    """rate: statements a second. cpu: of PostgreSQL for one of them, in ms."""

    rate: float
    cpu: float


def pgbench(sql: Sql, url: str, postmaster: psutil.Process, folder: Path, *, seconds: int) -> Floor:
    """Run one prepared statement over and over."""
    programs = reachable_programs(folder / "postgres", ServerUser.of_this_process()) / "bin"
    script = folder / "statement.sql"
    script.write_text(sql.script)
    given = [f"--define={name}={value}" for name, value in sql.variables.items()]
    arguments = ["--no-vacuum", "--protocol=prepared", f"--client={_CLIENTS}", f"--time={seconds}", f"--file={script}"]
    children, before = len(postmaster.children()), cpu_of_postgres(postmaster)
    ran = subprocess.run(
        [programs / "pgbench", *arguments, *given, url], env=_ENVIRONMENT, capture_output=True, text=True, check=False
    )
    _await_gone(postmaster, children)
    spent = cpu_of_postgres(postmaster) - before
    tps, done = _TPS.search(ran.stdout), _DONE.search(ran.stdout)
    if ran.returncode != 0 or tps is None or done is None or not int(done[1]):
        raise RuntimeError(f"pgbench failed: {ran.stderr.strip()[-500:]}")
    return Floor(float(tps[1]), spent / int(done[1]) * 1000)


def _await_gone(postmaster: psutil.Process, left: int) -> None:
    """Wait for the backends of pgbench to end: only then has all of their CPU been counted."""
    give_up = time.monotonic() + _LEAVING_SECONDS
    while len(postmaster.children()) > left and time.monotonic() < give_up:
        time.sleep(0.02)


def _without_colons(literal: re.Match[str]) -> str:
    text = literal[0]
    if not _COLON_BEFORE_NAME.search(text):
        return text
    escaped = _COLON_BEFORE_NAME.sub(r"\\003A", text.replace("\\", "\\\\"))
    return f"U&{escaped}"


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list):
        return "{" + ",".join(map(_written, value)) + "}"
    if not isinstance(value, str | int | float | UUID):
        raise TypeError(f"pgbench cannot be given {value!r}")
    return str(value)
