"""Typed clients: what generators make of our two documents passes the strictest checks, and works.

The programs in `typescript/` and `python/` are checked together with what is generated beside them. Each also holds lines
that the checker must refuse, so types that have become too loose fail as well.
"""

import json
from pathlib import Path
from typing import Any

from muster.testing.serving import Service
from tests.clients.tools import Tools

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCUMENTS = (ROOT / "openapi.json", ROOT / "schema.graphql", HERE / "operations.graphql")

OVER_REST = {
    "name": "Rosa",
    "status": "DRAFT",
    "found": [["Go in the library", None, "Rosa"]],
    "code": "NOT_FOUND",
}
OVER_GRAPHQL = {"name": "Grete", "status": "DRAFT", "found": [["Go in the library", None, "Grete"]]}


async def test_typescript(service: Service, tools: Tools) -> None:
    with tools.copy(HERE / "typescript", *DOCUMENTS) as folder:
        # By itself the generator calls whatever has a default required, in what is sent too.
        rest = ("openapi.json", "--default-non-nullable", "false", "--output", "rest.gen.ts")
        await tools.run(folder, "openapi-typescript", *rest)
        await tools.run(folder, "node", "generate.mjs")
        await tools.run(folder, "tsc", "--project", ".")
        assert await said(tools, service, folder, "node", "rest.ts") == OVER_REST
        assert await said(tools, service, folder, "node", "graphql.ts") == OVER_GRAPHQL


async def test_python(service: Service, tools: Tools) -> None:
    with tools.copy(HERE / "python", *DOCUMENTS) as folder:
        rest = ("--path", "openapi.json", "--meta", "none", "--output-path", "muster_rest", "--fail-on-warning")
        await tools.run(folder, "openapi-python-client", "generate", *rest)
        await tools.run(folder, "ariadne-codegen")
        await tools.run(folder, "datamodel-codegen")
        await tools.run(folder, "mypy", "rest_program.py", "graphql_program.py", "muster_models.py")
        assert await said(tools, service, folder, "python", "rest_program.py") == OVER_REST
        assert await said(tools, service, folder, "python", "graphql_program.py") == OVER_GRAPHQL


async def said(tools: Tools, service: Service, folder: Path, *command: str) -> Any:
    """What a program prints that is told where Muster is."""
    return json.loads(await tools.run(folder, *command, MUSTER_ADDRESS=service.address))
