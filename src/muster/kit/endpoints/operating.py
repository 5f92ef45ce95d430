"""What the platform's operator may ask over HTTP. No role in any tenant opens it: it takes a token of its own."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.db.database import Database
from muster.kit.endpoints.http import NoSuchAddress, problem_response
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.errors import Unauthenticated
from muster.kit.work.handlers import followers
from muster.kit.work.stats import queue_stats


@dataclass(frozen=True)
class Operating:
    """The operator's endpoints. token: what lets in; None is nobody, and then there is nothing at these addresses."""

    database: Database
    token: str | None

    async def queues(self, request: Request) -> Response:
        """How many jobs wait, run, are done, failed or stand still, by queue."""
        try:
            self._let_in(request)
            async with self.database.connection() as connection:
                found = await queue_stats(connection, sorted(followers()))
        except Exception as error:  # noqa: BLE001 - every failure becomes a problem that tells it
            return problem_response(as_rest_writes_it(client_error(error)), request.state.request_id)
        body = msgspec.json.encode({"queues": found, "timestamp": datetime.now(UTC)})
        return Response(body, 200, {"cache-control": "no-store"}, media_type="application/json")

    def _let_in(self, request: Request) -> None:
        """Raises NoSuchAddress where no token is set, Unauthenticated for any other than that."""
        if self.token is None:
            raise NoSuchAddress
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        if scheme.lower() != "bearer" or not same:
            raise Unauthenticated("This address takes the operator's token, MUSTER_OPERATOR_TOKEN, as a bearer token.")
