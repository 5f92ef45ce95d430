"""Health: is the process alive, and can it serve?"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from muster import __version__
from muster.kit.db.database import Database

log = structlog.get_logger()

_STARTED = time.monotonic()


@dataclass
class Health:
    """The three health endpoints. `stopping` makes `ready` say no at once, so that proxies look elsewhere."""

    database: Database
    environment: str
    stopping: bool = field(default=False)

    async def live(self, _request: Request) -> Response:
        """Always 200: the process answers."""
        return _json({"status": "ok", **_moment()})

    async def ready(self, _request: Request) -> Response:
        """200 when requests can be served, else 503."""
        checks = {"database": await self._check("select 1")}
        failed = self.stopping or checks["database"]["status"] == "fail"
        status = "fail" if failed else "ok"
        body = {
            "status": status,
            **_moment(),
            "version": __version__,
            "environment": self.environment,
            "checks": checks,
        }
        return _json(body, 503 if failed else 200)

    async def short(self, _request: Request) -> Response:
        """The one-line answer that load balancers of the old systems knew."""
        check = await self._check("select 1")
        alive = check["status"] == "ok" and not self.stopping
        return _json({"ok": alive, "db": check["status"] == "ok", "redis": None}, 200 if alive else 503)

    async def _check(self, statement: str) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            async with self.database.connection() as connection:
                await connection.execute(statement)
            status = "ok"
        except Exception:  # whatever it is, the database does not answer
            log.warning("health.database_failed", exc_info=True)
            status = "fail"
        return {"status": status, "latencyMs": round((time.perf_counter() - began) * 1000, 2)}


def _moment() -> dict[str, Any]:
    return {"uptime": round(time.monotonic() - _STARTED, 1), "timestamp": datetime.now(UTC).isoformat()}


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, {"cache-control": "no-store"}, media_type="application/json")
