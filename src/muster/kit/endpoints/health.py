"""Health: is the process alive, and can it serve?"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from obstore.exceptions import BaseError
from starlette.requests import Request
from starlette.responses import Response

from muster import __version__
from muster.kit.db.database import Database
from muster.kit.db.replicas import Replicas
from muster.kit.storage.storage import Storage
from muster.kit.store.connection import StoreDown, StoreRefused
from muster.kit.store.store import Store

log = structlog.get_logger()

HEALTH = "/health"
"""What the addresses of health begin with."""

_STARTED = time.monotonic()
_PATIENCE_SECONDS = 5
# A worker runs some entry of the schedule every minute.
_A_WORKER_WORKS = "select coalesce(max(last_run_at) > now() - interval '3 minutes', false) from schedule_runs"


@dataclass
class Health:
    """The three health endpoints. `stopping` makes `ready` say no at once, so that proxies look elsewhere.

    bucket: where files are kept, when that is not a folder of this machine.
    """

    database: Database
    environment: str
    store: Store | None = None
    replicas: Replicas | None = None
    bucket: Storage | None = None
    stopping: bool = field(default=False)

    async def live(self, _request: Request) -> Response:
        """Always 200: the process answers."""
        return _json({"status": "ok", **_moment()})

    async def ready(self, _request: Request) -> Response:
        """200 when requests can be served, also while no worker follows up on them, the store or the bucket is away or a
        replica behind (`degraded`); else 503.
        """
        checks = {"database": await self._check("select true"), "queue": await self._check(_A_WORKER_WORKS)}
        if self.store is not None:
            checks["redis"] = await self._check_store(self.store)
        if self.replicas is not None:
            checks["replicas"] = _of_replicas(self.replicas)
        if self.bucket is not None:
            checks["storage"] = await self._check_bucket(self.bucket)
        states = [check["status"] for check in checks.values()]
        failed = self.stopping or checks["database"]["status"] != "ok"
        body = {
            "status": "fail" if failed else "ok" if set(states) == {"ok"} else "degraded",
            **_moment(),
            "version": __version__,
            "environment": self.environment,
            "checks": checks,
        }
        return _json(body, 503 if failed else 200)

    async def short(self, _request: Request) -> Response:
        """The one-line answer that load balancers of the old systems knew."""
        check = await self._check("select true")
        alive = check["status"] == "ok" and not self.stopping
        redis = None if self.store is None else (await self._check_store(self.store))["status"] == "ok"
        return _json({"ok": alive, "db": check["status"] == "ok", "redis": redis}, 200 if alive else 503)

    async def _check(self, question: str) -> dict[str, Any]:
        """How the answer to one question about the database went: `ok`, `degraded` when it is no, `fail` without."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self.database.connection() as connection:
                status = "ok" if await connection.fetchval(question) else "degraded"
        except Exception:  # whatever it is, the database does not answer
            log.warning("health.database_failed", exc_info=True)
            status = "fail"
        return {"status": status, "latencyMs": _milliseconds_since(began)}

    async def _check_bucket(self, bucket: Storage) -> dict[str, Any]:
        """Whether the bucket answers. Without it only files are out of reach: `degraded`, not `fail`."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await bucket.paths("health/")
            status = "ok"
        except (TimeoutError, BaseError):
            log.warning("health.bucket_failed", exc_info=True)
            status = "degraded"
        return {"status": status, "latencyMs": _milliseconds_since(began)}

    async def _check_store(self, store: Store) -> dict[str, Any]:
        """Whether the store answers. Without it Muster serves on: `degraded`, not `fail`."""
        began = time.perf_counter()
        try:
            await store.ask("PING")
            status = "ok"
        except (StoreDown, StoreRefused):
            status = "degraded"
        return {"status": status, "latencyMs": _milliseconds_since(began)}


def _of_replicas(replicas: Replicas) -> dict[str, Any]:
    """By how much each is behind, null where it does not answer. Without them the database answers: `degraded`."""
    lags = [None if lag is None else round(lag * 1000) for lag in replicas.lags()]
    return {"status": "ok" if replicas.are_well else "degraded", "lagMs": lags}


def _milliseconds_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def _moment() -> dict[str, Any]:
    return {"uptime": round(time.monotonic() - _STARTED, 1), "timestamp": datetime.now(UTC).isoformat()}


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, {"cache-control": "no-store"}, media_type="application/json")
