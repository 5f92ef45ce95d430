"""`docs/miglee.md`: every operation that it names as ours is one, and each of theirs stands there once."""

import re
from pathlib import Path

import muster.slices  # noqa: F401 - the table of contents: importing it declares everything
from muster.kit.commands.command import COMMANDS
from muster.kit.endpoints.documents import DOCUMENTS
from muster.kit.views.query import QUERIES

_TABLE = Path(__file__).resolve().parent.parent / "docs" / "miglee.md"
_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ", re.MULTILINE)
_NAME = re.compile(r"`([^`]+)`")
_THEIRS = 86
"""Operations about events that Miglee's schema has: its parts on categories, discovery, joining, links, map and admins."""


def test_every_operation_of_theirs_has_an_equal_or_says_that_it_has_none() -> None:
    rows = [row for row in _ROW.findall(_TABLE.read_text()) if row[0] not in ("Miglee", "---")]
    theirs = [name for left, _ in rows for name in _NAME.findall(left)]
    ours = {name for _, right in rows for name in _NAME.findall(right)}
    assert len(theirs) == len(set(theirs)) == _THEIRS
    assert not ours - {*COMMANDS, *QUERIES, *DOCUMENTS}
    assert all(_NAME.search(right) or right == "none yet" for _, right in rows)
