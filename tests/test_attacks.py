"""The list of attacks on GraphQL names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (?P<attack>[^|]+) \| [^|]+ \| `(?P<file>[^`]+)` \"(?P<case>[^\"]+)\" \|$", re.MULTILINE)


def test_every_attack_is_tried() -> None:
    text = (ROOT / "docs/security/graphql.md").read_text()
    rows = list(ROW.finditer(text))
    assert len(rows) == sum(line.startswith("| ") for line in text.splitlines()) - 2 * text.count("| --- | --- | --- |")
    for row in rows:
        assert row["case"] in (ROOT / row["file"]).read_text(), f"{row['attack']}: {row['file']} has no {row['case']!r}"
