"""Reading a file: every row has its place, and one that cannot be read costs nobody else."""

from pathlib import Path

import pytest

from muster.events.importing.formats import read_rows
from muster.events.importing.rows import LONGEST_LINE

GOOD = b'{"name": "good"}\n'


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"not JSON\n", "is not JSON"),
        (b'{"name": "cut\n', "is not JSON"),
        (b'{"name": "\xff\xfe"}\n', "is not JSON"),
        (b"\x00\x00\n", "is not JSON"),
        (b"[" * 60_000 + b"\n", "is not JSON"),
        (b'{"latitude": 1e999}\n', "is not JSON"),
        (b"[1, 2]\n", "is not a JSON object"),
        (b'"text"\n', "is not a JSON object"),
        (b"x" * (LONGEST_LINE + 1) + b"\n", "is longer than"),
        (b"x" * (3 * LONGEST_LINE) + b"\n", "is longer than"),
    ],
)
def test_a_bad_line_does_not_cost_a_good_one(bad: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(GOOD + bad + GOOD)
    before, refused, after = read_rows(file)
    assert (before.fields, after.fields) == ({"name": "good"}, {"name": "good"})
    assert [row.line for row in (before, refused, after)] == [1, 2, 3]
    assert refused.fields is None
    assert says in str(refused.problem)
    assert file.read_bytes()[refused.start : refused.end] == bad


def test_empty_lines_a_byte_order_mark_and_a_missing_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\n  \r\n" + GOOD.replace(b"\n", b"\r\n") + GOOD.strip())
    found = list(read_rows(file))
    assert [row.line for row in found] == [1, 4, 5]
    assert all(row.fields == {"name": "good"} for row in found)


@pytest.mark.parametrize("contents", [b"", b"\n\n", b"   "])
def test_nothing_is_nothing(contents: bytes, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(contents)
    assert list(read_rows(file)) == []
