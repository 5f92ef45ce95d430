"""The lists of attacks name tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (?P<attack>[^|]+) \| [^|]+ \| `(?P<file>[^`]+)` \"(?P<case>[^\"]+)\" \|$", re.MULTILINE)


@pytest.mark.parametrize("name", ["attacks.md", "graphql.md"])
def test_every_attack_is_tried(name: str) -> None:
    text = (ROOT / "docs/security" / name).read_text()
    rows = list(ROW.finditer(text))
    assert len(rows) == sum(line.startswith("| ") for line in text.splitlines()) - 2 * text.count("| --- | --- | --- |")
    for row in rows:
        assert row["case"] in (ROOT / row["file"]).read_text(), f"{row['attack']}: {row['file']} has no {row['case']!r}"
