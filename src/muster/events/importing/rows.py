"""The rows of a file, one by one, each with its place in it. A row that cannot be read never costs the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

LONGEST_LINE = 64 * 1024
"""Bytes. An event of the longest allowed texts fits in several times over."""
TOO_LONG = f"is longer than {LONGEST_LINE // 1024} kB"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Some editors put it before the first line."""


class Unreadable(Exception):
    """A file that is not what it is taken for."""


@dataclass(frozen=True)
class Line:
    """One line of a file, by its number from 1 and where its bytes stand. text: None for one that is too long to hold."""

    number: int
    start: int
    end: int
    text: bytes | None


@dataclass(frozen=True)
class Row:
    """One row of a file.

    line: where it begins, counted from 1. start, end: where its bytes stand. fields: by name; None when it cannot be read,
    and then `problem` says why. is_text: all its values are text, as in a table.
    """

    line: int
    start: int
    end: int
    fields: dict[str, object] | None
    problem: str | None = None
    is_text: bool = False


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """The lines of a file, from where it stands at the beginning."""
    number, start = 0, 0
    while text := file.readline(LONGEST_LINE + 1):
        number += 1
        fits = len(text) <= LONGEST_LINE or text.endswith(b"\n")
        end = start + len(text) if fits else _end_of_line(file)
        yield Line(number, start, end, text.removeprefix(_BYTE_ORDER_MARK) if fits else None)
        start = end


def _end_of_line(file: BinaryIO) -> int:
    """Skip the rest of a line without holding it."""
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass
    return file.tell()


def unreadable(lines: list[Line], problem: str) -> Row:
    """The row that stands in these lines, which cannot be read."""
    return Row(lines[0].number, lines[0].start, lines[-1].end, None, problem)


def read_json_lines(file: BinaryIO) -> Iterator[Row]:
    """The rows of a JSON Lines file; empty lines are none."""
    for line in lines_of(file):
        if line.text is None:
            yield unreadable([line], TOO_LONG)
        elif line.text.strip():
            yield _read(line, line.text)


def _read(line: Line, text: bytes) -> Row:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return unreadable([line], f"is not JSON: {error}")
    if not isinstance(found, dict):
        return unreadable([line], "is not a JSON object")
    return Row(line.number, line.start, line.end, found)
