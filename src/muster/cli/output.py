"""What a verb says: a sentence or a table for people, JSON for programs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

JsonFlag = Annotated[bool, Parameter("--json", negative="", help="Print JSON, for programs.")]
"""The option of every verb that has something to say."""

# Nobody looks at the width of a file or a pipe, and whoever cuts columns out of it wants whole lines.
_WIDE = 400


def show_json(data: object) -> None:
    """Print data as JSON."""
    print(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())


def show(data: object, sentence: str, *, as_json: bool) -> None:
    """Print what a verb did: as data for programs, or as a sentence for people."""
    if as_json:
        show_json(data)
    else:
        print(sentence)


def show_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print a table for people; the keys of the rows are its head."""
    if not rows:
        print("There are none.")
        return
    table = Table(box=None)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_as_text(value)) for value in row.values()))
    console = Console()
    console.width = console.width if console.is_terminal else _WIDE
    console.print(table)


def _as_text(value: object) -> str:
    """A value in a table. What people call themselves must not command the operator's terminal."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    text = "" if value is None else str(value)
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def show_list(rows: Sequence[msgspec.Struct], *, as_json: bool) -> None:
    """Print what a statement answered with: a JSON array, or a table."""
    if as_json:
        show_json(rows)
    else:
        show_rows([msgspec.structs.asdict(row) for row in rows])


def progress_bar(*more: str) -> Progress:
    """A bar for long work, where somebody looks at a terminal. more: columns, as rich writes them."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), *map(TextColumn, more))
    return Progress(*columns, console=console, disable=not console.is_terminal)
