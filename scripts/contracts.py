"""Compare what the service offers with what the repository says it does: openapi.json and schema.graphql.

With --write the two files are brought up to date instead.
"""

import difflib
import sys
from pathlib import Path

from muster.main import openapi_document, schema_sdl

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print the differences; exit code 1 when there are any."""
    offered = {ROOT / "openapi.json": openapi_document(), ROOT / "schema.graphql": schema_sdl()}
    differences: list[str] = []
    for path, text in offered.items():
        now = text.rstrip("\n") + "\n"
        if "--write" in sys.argv[1:]:
            path.write_text(now)
        said = path.read_text() if path.exists() else ""
        differences += difflib.unified_diff(
            said.splitlines(), now.splitlines(), f"{path.name} as committed", f"{path.name} as served", lineterm=""
        )
    if differences:
        print("\n".join(differences[:200]))
        sys.exit("The contract has changed. If that is meant: make contracts, and a line in CHANGELOG.md.")
    print("contracts: openapi.json and schema.graphql are as served")


if __name__ == "__main__":
    main()
