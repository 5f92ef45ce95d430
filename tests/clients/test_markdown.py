"""What documents show is drawn: every Mermaid picture of the repository is read by Mermaid itself."""

import json
import re
from pathlib import Path

from tests.clients.tools import Tools

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PICTURE = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
BROKEN = {"broken": "flowchart TB\n  this is --> no --> [picture"}


async def test_mermaid_can_draw_every_picture(tools: Tools) -> None:
    found = {
        f"{path.relative_to(ROOT)} {number}": picture
        for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md"))
        for number, picture in enumerate(PICTURE.findall(path.read_text()), start=1)
    }
    assert len(found) > 10
    with tools.copy(HERE / "markdown") as folder:
        (folder / "pictures.json").write_text(json.dumps(found | BROKEN))
        faults = json.loads(await tools.run(folder, "node", "mermaid.mjs"))
    assert faults.keys() == BROKEN.keys(), faults
