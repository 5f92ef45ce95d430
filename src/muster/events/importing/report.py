"""What an import leaves behind: a line for every row, and the rows that were refused, byte for byte."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import msgspec

from muster.events.importing.batches import Outcome, Result
from muster.kit.errors import FieldProblem

_CHUNK = 1 << 20


class Line(msgspec.Struct, omit_defaults=True):
    """The report of one row. id: of the event. reasons: why it was refused. notes: what had to be decided."""

    line: int
    outcome: Outcome
    id: UUID | None = None
    reasons: tuple[FieldProblem, ...] = ()
    notes: tuple[str, ...] = ()


def refused_path(report: Path, source: Path) -> Path:
    """Where the refused rows stand: beside the report, with the ending of the file they come from."""
    return report.with_name(f"{report.stem}.refused{source.suffix}")


class Report:
    """Writes the report beside the refused rows, and counts.

    path: of the report. refused_path: of the refused rows, a file that is only there when there are any.
    source_bytes: how large the imported file is. head: what the refused rows begin with, so that they can come in again.
    """

    def __init__(self, source: BinaryIO, path: Path, refused: Path, files: ExitStack, head: bytes) -> None:
        self.path = path
        self.refused_path = refused
        self._head = head
        self.refused_path.unlink(missing_ok=True)
        self.counts: Counter[Outcome] = Counter(dict.fromkeys(Outcome, 0))
        self.noted = 0
        self.source_bytes = source.seek(0, os.SEEK_END)
        self._source = source
        self._files = files
        self._lines = files.enter_context(path.open("wb"))
        self._refused: BinaryIO | None = None

    def add(self, results: Iterable[Result]) -> None:
        """Note what became of some rows."""
        for each in results:
            self.counts[each.outcome] += 1
            self.noted += bool(each.notes)
            line = Line(each.row.line, each.outcome, each.event_id, each.problems, each.notes)
            self._lines.write(msgspec.json.encode(line) + b"\n")
            if each.outcome == Outcome.REFUSED:
                self._set_aside(each)
        self._lines.flush()

    def _set_aside(self, result: Result) -> None:
        """Copy a row as it stands in the source."""
        if self._refused is None:
            self._refused = self._files.enter_context(self.refused_path.open("wb"))
            self._refused.write(self._head)
        self._source.seek(result.row.start)
        left = result.row.end - result.row.start
        while left and (chunk := self._source.read(min(left, _CHUNK))):
            self._refused.write(chunk)
            left -= len(chunk)
        self._refused.flush()


@contextmanager
def reporting(source: Path, path: Path, head: bytes = b"") -> Iterator[Report]:
    """A report on the import of a file; both its files are closed at the end. head: of the refused rows."""
    with ExitStack() as files:
        yield Report(files.enter_context(source.open("rb")), path, refused_path(path, source), files, head)
