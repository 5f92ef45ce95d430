"""The kinds of file that events come in from."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from muster.events.importing.calendars import read_calendar
from muster.events.importing.rows import Row, read_json_lines
from muster.events.importing.sheets import read_table


class Format(StrEnum):
    """How a file is written."""

    JSONL = "jsonl"
    CSV = "csv"
    ICS = "ics"


_READERS: dict[Format, Callable[[BinaryIO], Iterator[Row]]] = {
    Format.JSONL: read_json_lines,
    Format.CSV: read_table,
    Format.ICS: read_calendar,
}
_ENDINGS = {".csv": Format.CSV, ".tsv": Format.CSV, ".ics": Format.ICS, ".ical": Format.ICS}


def format_of(path: Path) -> Format:
    """What its ending says; JSON Lines where it says nothing."""
    return _ENDINGS.get(path.suffix.lower(), Format.JSONL)


def read_rows(path: Path, written: Format | None = None) -> Iterator[Row]:
    """The rows of a file. written: None goes by the ending. Raises Unreadable for what is no such file."""
    with path.open("rb") as file:
        yield from _READERS[written or format_of(path)](file)


def head_of(path: Path, written: Format) -> bytes:
    """What has to stand before some rows of a file, so that they are one again: the first line of a table."""
    if written != Format.CSV:
        return b""
    with path.open("rb") as file:
        return file.readline()
