"""The rows of a file, one by one, each with its place in it. A row that cannot be read never costs the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

LONGEST_LINE = 64 * 1024
"""Bytes. An event of the longest allowed texts fits in several times over."""


@dataclass(frozen=True)
class Row:
    """One row of a file.

    line: counted from 1. start, end: where its bytes stand. fields: by name; None when it cannot be read, and then
    `problem` says why.
    """

    line: int
    start: int
    end: int
    fields: dict[str, object] | None
    problem: str | None = None


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a JSON Lines file; empty lines are none."""
    with path.open("rb") as file:
        line, start = 0, 0
        while text := file.readline(LONGEST_LINE + 1):
            line += 1
            fits = len(text) <= LONGEST_LINE or text.endswith(b"\n")
            end = start + len(text) if fits else _end_of_line(file)
            if not fits:
                yield Row(line, start, end, None, f"is longer than {LONGEST_LINE // 1024} kB")
            elif text.strip():
                yield _read(line, start, end, text)
            start = end


def _end_of_line(file: BinaryIO) -> int:
    """Skip the rest of a line without holding it."""
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass
    return file.tell()


def _read(line: int, start: int, end: int, text: bytes) -> Row:
    try:
        # A mark of the byte order, as some editors put it before the first line.
        found = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Row(line, start, end, None, f"is not JSON: {error}")
    if not isinstance(found, dict):
        return Row(line, start, end, None, "is not a JSON object")
    return Row(line, start, end, found)
