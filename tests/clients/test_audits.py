"""GraphQL over HTTP as others audit it: every audit of the npm package graphql-http passes."""

import json
from pathlib import Path
from typing import Any

from muster.testing.serving import Service
from tests.clients.tools import Tools

AUDITS = Path(__file__).parent / "audits"


async def test_every_audit_of_graphql_over_http_passes(service: Service, tools: Tools) -> None:
    with tools.copy(AUDITS) as folder:
        printed = await tools.run(folder, "node", "over-http.mjs", MUSTER_ADDRESS=service.address)
    told: list[dict[str, Any]] = json.loads(printed)
    assert len(told) >= 60
    assert [each for each in told if each["status"] != "ok"] == []
