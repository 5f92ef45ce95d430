"""Results: what a command returned, as REST answers it."""

from dataclasses import dataclass, field
from typing import Any

from muster.kit.caller import Origin
from muster.kit.commands.batch import Call
from muster.kit.commands.command import Command
from muster.kit.commands.context import Services
from muster.kit.commands.run import Done
from muster.kit.endpoints.rendering import render
from muster.kit.endpoints.rest.location import address_of, location_of, stands_at
from muster.kit.endpoints.tags import is_versioned, tag_of
from muster.kit.remembered import remembered
from muster.kit.views.picks import Pick, SlotValues, whole
from muster.kit.views.plans import plans_of
from muster.kit.views.query import Query
from muster.kit.views.results import Payload, whole_payload


@dataclass(frozen=True)
class Result:
    """One answer: its status, its body as JSON text or none, and where it can be read."""

    status: int
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Results:
    """Reads results back."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._plans = plans_of("results over REST", services.gate)
        self._queries: dict[str, Query | None] = {}

    async def read(self, call: Call, done: Done, origin: Origin) -> Result:
        """The answer to a call that is done."""
        result = done.result
        if result is None:
            return Result(204)
        pick = Pick("", "", picks=_whole_result(type(result)))
        slots = [SlotValues({}, ())]
        body = await render(self._services, self._plans, call.command.name, done, origin, pick, slots)
        if isinstance(result, Payload):
            return Result(result.status, body)
        query = self._read_by(call.command)
        if query is None:
            return Result(201 if result.created else 200, body)
        tag = {"etag": tag_of(body, body.encode(), versioned=is_versioned(query.view))}
        if result.created:
            return Result(201, body, {"location": address_of(query, result, call.arguments), **tag})
        return Result(200, body, tag if stands_at(query, call.command) else {})

    def _read_by(self, command: Command) -> Query | None:
        if command.name not in self._queries:
            self._queries[command.name] = location_of(command)
        return self._queries[command.name]


@remembered
def _whole_result(kind: Any) -> tuple[Pick, ...]:
    return whole_payload(kind) if issubclass(kind, Payload) else whole(kind)
