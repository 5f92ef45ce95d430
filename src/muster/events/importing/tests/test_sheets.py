"""Tables: every kind of broken row costs itself alone."""

from pathlib import Path

import pytest

from muster.events.importing.formats import read_rows
from muster.events.importing.records import Arrival, Refused, arrival
from muster.events.importing.rows import LONGEST_LINE, Unreadable
from muster.events.importing.tests.support import become

HEAD = "name,start_date,description,topics,online\n"
GOOD = ("First,2031-05-01,,,\n", "Second,2031-05-02,,,\n", '"Third, really",2031-05-03,"two\nlines","a, b",no\n')
BROKEN = [
    (b'"never closed,2031-05-01,,,\n', "never closed"),
    (b'"closed"wrongly,2031-05-01,,,\n', "expected after"),
    (b"too,few\n", "has 2 cells, where the first line names 5"),
    (b"too,2031-05-01,,,,many\n", "has 6 cells"),
    (b"\xff\xfe,2031-05-01,,,\n", "is not UTF-8"),
    (b"x" * (LONGEST_LINE + 1) + b"\n", "is longer than"),
    (b'"' + b"x\n" * 600 + b"\n", "never closed"),
]


def read(folder: Path, *pieces: bytes | str) -> list[Arrival | str]:
    """What becomes of each row of a table: it comes in, or why not."""
    file = folder / "table.csv"
    file.write_bytes(b"".join(each.encode() if isinstance(each, str) else each for each in pieces))
    return become(file)


def titles(found: list[Arrival | str]) -> list[object]:
    return [each.values["title"] for each in found if isinstance(each, Arrival)]


@pytest.mark.parametrize(("broken", "says"), BROKEN)
def test_a_broken_row_costs_no_good_one(broken: bytes, says: str, tmp_path: Path) -> None:
    found = read(tmp_path, HEAD, GOOD[0], broken, GOOD[1], broken, GOOD[2])
    assert titles(found) == ["First", "Second", "Third, really"]
    assert says in str(next(each for each in found if isinstance(each, str)))


def test_all_kinds_of_broken_rows_together_cost_no_good_one(tmp_path: Path) -> None:
    pieces = [piece for broken, _ in BROKEN for piece in (broken, *GOOD)]
    assert titles(read(tmp_path, HEAD, *pieces)) == ["First", "Second", "Third, really"] * len(BROKEN)


def test_a_row_has_its_place_and_its_bytes(tmp_path: Path) -> None:
    read(tmp_path, HEAD, GOOD[2], "\n", "too,few\n", GOOD[0])
    file = tmp_path / "table.csv"
    first, refused, last = read_rows(file)
    assert [each.line for each in (first, refused, last)] == [2, 5, 6]
    assert [file.read_bytes()[each.start : each.end].decode() for each in (first, refused, last)] == [
        GOOD[2],
        "too,few\n",
        GOOD[0],
    ]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("\ufeffName;Start date;Topics;Online\r\n", "Chess;2031-05-01;a|b, c;Yes\r\n"),
        ("NAME\tSTART_DATE\ttopics\tonline\n", "Chess\t2031-05-01\ta;b;c\t1"),
        ('"name","start_date","topics","online"\n', 'Chess,2031-05-01,"a,b,c",true\n'),
    ],
)
def test_as_spreadsheets_write_it(head: str, row: str, tmp_path: Path) -> None:
    url = ";https://x.org" if ";" in head else "\thttps://x.org" if "\t" in head else ",https://x.org"
    name = url[0] + "url"
    [found] = read(tmp_path, head.replace("nline", f"nline{name}").replace(f'{name}"', f'"{name}'), row.rstrip() + url)
    assert isinstance(found, Arrival)
    assert (found.values["title"], found.tags, found.values["online_url"]) == (
        "Chess",
        ["a", "b", "c"],
        "https://x.org",
    )


def test_a_mark_within_a_cell_is_a_letter(tmp_path: Path) -> None:
    assert titles(read(tmp_path, HEAD, '5" disks,2031-05-01,,,\n', GOOD[0])) == ['5" disks', "First"]


@pytest.mark.parametrize("head", ["a,b\n", "name only\n", "x" * (LONGEST_LINE + 1), '"open,', '{"name": "x"}\n'])
def test_a_table_without_names_is_none(head: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="name the columns"):
        read(tmp_path, head)


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == []
    assert read(tmp_path, HEAD, "\n", ",,,,\n") == []


@pytest.mark.parametrize(
    ("row", "field"),
    [("Chess,2031-05-01,,,maybe\n", "online"), ("Chess,today,,,\n", "start_date"), (",2031-05-01,,,\n", "name")],
)
def test_a_wrong_cell_is_named(row: str, field: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(HEAD + row)
    with pytest.raises(Refused) as refusal:
        arrival(next(read_rows(file)))
    assert [each.path for each in refusal.value.problems] == [field]
