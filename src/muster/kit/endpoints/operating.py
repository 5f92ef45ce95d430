"""What the platform's operator may ask over HTTP. No role in any tenant opens it: it takes a token of its own."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.db.database import Database
from muster.kit.endpoints.deprecations import report
from muster.kit.endpoints.http import NoSuchAddress, problem_response
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.errors import Unauthenticated
from muster.kit.work.stats import queue_stats


@dataclass(frozen=True)
class Operating:
    """The operator's endpoints.

    token: what lets in; None is nobody, and then there is nothing at these addresses. names: gives those of all queues.
    """

    database: Database
    token: str | None
    names: Callable[[], list[str]]

    async def queues(self, request: Request) -> Response:
        """How many jobs wait, run, are done, failed or stand still, by queue."""
        return await self._answer(request, self._queues)

    async def deprecations(self, request: Request) -> Response:
        """What is deprecated, and who still uses it."""
        return await self._answer(request, report)

    async def _queues(self) -> dict[str, Any]:
        async with self.database.connection() as connection:
            return {"queues": await queue_stats(connection, self.names())}

    async def _answer(self, request: Request, find: Callable[[], Awaitable[dict[str, Any]]]) -> Response:
        try:
            self._let_in(request)
            found = await find()
        except Exception as error:  # noqa: BLE001 - every failure becomes a problem that tells it
            return problem_response(as_rest_writes_it(client_error(error)), request.state.request_id)
        body = msgspec.json.encode({**found, "timestamp": datetime.now(UTC)})
        return Response(body, 200, {"cache-control": "no-store"}, media_type="application/json")

    def _let_in(self, request: Request) -> None:
        """Raises NoSuchAddress where no token is set, Unauthenticated for any other than that."""
        if self.token is None:
            raise NoSuchAddress
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        if scheme.lower() != "bearer" or not same:
            raise Unauthenticated("This address takes the operator's token, MUSTER_OPERATOR_TOKEN, as a bearer token.")
