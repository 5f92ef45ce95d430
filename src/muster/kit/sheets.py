"""Tables for spreadsheets: CSV in which a value is only ever shown."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import msgspec

# What a spreadsheet would take for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> str:
    """A value as a spreadsheet shows it and never runs it."""
    if value is None:
        return ""
    written = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{written}" if isinstance(value, str) and written.startswith(_FORMULA) else written


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV (RFC 4180)."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([cell(each) for each in row] for row in rows)
    return written.getvalue()
