"""The rows of a table: CSV as spreadsheets write it (RFC 4180), with commas, semicolons or tabs.

A quotation mark that is never closed would swallow every row behind it. So whatever does not come out as one row with as
many cells as the first line is broken in its first line alone, and reading goes on with the next.
"""

import csv
import re
from collections import deque
from collections.abc import Collection, Iterator
from typing import BinaryIO

from muster.events.importing.rows import LONGEST_LINE, TOO_LONG, Line, Row, Unreadable, lines_of, unreadable

_DELIMITERS = (",", ";", "\t")
_MOST_LINES = 500
"""Of one row: a description of 5,000 letters stands in fewer."""
_YES, _NO = frozenset({"yes", "y", "true", "1", "x"}), frozenset({"no", "n", "false", "0"})
_OPEN = "unexpected end of data"
"""How the reader of the standard library says that a quotation mark is still open."""
_UNCLOSED = "a quotation mark is never closed, or in the wrong place"


def read_table(file: BinaryIO, *, needs: Collection[str] = ("name", "start_date")) -> Iterator[Row]:
    """The rows below the first line, which names their fields; empty rows are none.

    needs: the fields that it has to name. Raises Unreadable without these.
    """
    lines = _Lines(lines_of(file))
    head = lines.take()
    if head is None:
        return
    names, delimiter = _names(head, needs)
    while (line := lines.take()) is not None:
        row = _Rows(lines, names, delimiter).read(line)
        if row is not None:
            yield row


def _names(head: Line, needs: Collection[str]) -> tuple[list[str], str]:
    """The fields that the first line names, and what stands between them."""
    for delimiter in _DELIMITERS:
        cells = _cells(head.text or b"", delimiter)
        names = [_name(each) for each in cells] if isinstance(cells, list) else []
        if set(needs) <= set(names):
            return names, delimiter
    raise Unreadable(f"the first line has to name the columns, {' and '.join(needs)} among them")


def _name(cell: str) -> str:
    """A column's name as rows have it: `Start date` is start_date."""
    return re.sub(r"\W+", "_", cell.strip().lower())


def _cells(text: bytes, delimiter: str) -> list[str] | str:
    """The cells of one row, or why it is none."""
    try:
        found = list(csv.reader([text.decode()], delimiter=delimiter, strict=True))
    except UnicodeDecodeError:
        return "is not UTF-8"
    except csv.Error as error:
        return str(error)
    return found[0] if found else []


class _Lines:
    """Lines that can be put back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()

    def take(self) -> Line | None:
        return self._back.popleft() if self._back else next(self._lines, None)

    def put_back(self, lines: list[Line]) -> None:
        self._back.extendleft(reversed(lines))


class _Rows:
    """Reads rows with cells of these names."""

    def __init__(self, lines: _Lines, names: list[str], delimiter: str) -> None:
        self._lines = lines
        self._names = names
        self._delimiter = delimiter

    def read(self, first: Line) -> Row | None:
        """The row that begins in this line; None when there is nothing in it."""
        if first.text is None:
            return unreadable([first], TOO_LONG)
        taken, cells = [first], _cells(first.text, self._delimiter)
        if cells == _OPEN:
            taken, cells = self._closed(first, first.text)
        if isinstance(cells, list) and len(cells) == len(self._names):
            fields = {name: _value(name, cell) for name, cell in zip(self._names, cells, strict=True) if cell.strip()}
            return Row(first.number, first.start, taken[-1].end, fields, is_text=True) if fields else None
        self._lines.put_back(taken[1:])
        if isinstance(cells, str):
            return unreadable([first], f"is not a row of a table: {cells}")
        is_empty = not any(each.strip() for each in cells)
        wanted = f"has {len(cells)} cells, where the first line names {len(self._names)}"
        return None if is_empty else unreadable([first], wanted)

    def _closed(self, first: Line, text: bytes) -> tuple[list[Line], list[str] | str]:
        """The lines up to where the quotation mark is closed, and what stands in them."""
        taken = [first]
        while len(taken) < _MOST_LINES and len(text) <= LONGEST_LINE:
            line = self._lines.take()
            if line is None:
                break
            taken.append(line)
            if line.text is None:
                break
            text += line.text
            # Only a line with an odd number of marks can close what is open.
            if line.text.count(b'"') % 2 and (cells := _cells(text, self._delimiter)) != _OPEN:
                return taken, _UNCLOSED if isinstance(cells, str) else cells
        return taken, _UNCLOSED


def _value(name: str, cell: str) -> object:
    text = cell.strip()
    if name == "topics":
        return [each.strip() for each in re.split(r"[,;|]", text) if each.strip()]
    if name == "online":
        return True if text.lower() in _YES else False if text.lower() in _NO else text
    return text
