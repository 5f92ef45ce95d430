"""`If-Match`: a command that counts only while what the client has read is still so (RFC 9110, 13.1.1).

It is compared with what the same caller would read now of the thing that the command is about: by `GET /events/{id}` for
`PATCH /events/{id}`, and by `GET /events/{eventId}/chat` for `PUT /events/{eventId}/chat/mute`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from muster.kit.caller import Origin
from muster.kit.commands.batch import Call
from muster.kit.commands.command import Command
from muster.kit.commands.context import Services
from muster.kit.db.database import Transaction
from muster.kit.db.statements import to_text
from muster.kit.endpoints.rest.location import read_back
from muster.kit.endpoints.tags import is_versioned, read_tags, shows_same, tag_of
from muster.kit.errors import AppError, BadInput, PreconditionFailed
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues, whole
from muster.kit.views.plans import Plan, compile_plan
from muster.kit.views.query import Query

HEADER = "If-Match"


def check_overwrites(command: Command) -> None:
    """Raises TypeError for a command that can overwrite what others made of a thing, when no query reads that thing."""
    if command.route.method in ("PATCH", "PUT") and read_back(command) is None:
        raise TypeError(
            f"{command.name} overwrites what no client can name: declare a query that reads one "
            f"{command.returns.__name__} by arguments of the command, so that it can be told in If-Match"
        )


@dataclass(frozen=True)
class _Plans:
    """How to hold a row, and how to read it as REST shows it."""

    hold: Plan
    read: Plan


@dataclass(frozen=True)
class Unchanged:
    """What a client holds a thing to be. asked: the header. tags: what it lists; None is anything that is there."""

    asked: str
    tags: frozenset[str] | None
    query: Query
    plans: _Plans
    slots: Sequence[SlotValues]
    origin: Origin

    async def unmet(self, tx: Transaction) -> AppError | None:
        """Why the command may not count, if so; holds the row until the transaction ends.

        The row's lock makes the answer stay true: who else changes the row waits for it, and of several who have read
        the same, the second finds what the first has made of it. It is a statement of its own, since one that waits for
        a lock reads all else as it was before.
        """
        hold, read = self.plans.hold, self.plans.read
        await tx.connection.fetchrow(hold.sql.text, *hold.arguments(self.origin, self.slots))
        row = await tx.connection.fetchrow(read.sql.text, *read.arguments(self.origin, self.slots))
        body: str = "null" if row is None else row[2]
        if body == "null":
            return PreconditionFailed("There is nothing that could be as you have read it.")
        versioned = is_versioned(self.query.view)
        tag = tag_of(body, body.encode(), versioned=versioned)
        if self.tags is None or any(shows_same(tag[1:-1], each, versioned=versioned) for each in self.tags):
            return None
        return PreconditionFailed(headers={"etag": tag}, details={"etag": tag})


class Conditions:
    """Reads conditions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._plans: dict[str, _Plans] = {}

    def on(self, call: Call, given: str | None, origin: Origin, path: str = HEADER) -> Call:
        """The call, with its condition if it has one.

        given: the tags, as clients write them. path: where they stand, for the error.
        Raises BadInput for what is none, and where there is nothing to compare them with.
        """
        if given is None:
            return call
        query = read_back(call.command)
        if query is None:
            raise BadInput.field(path, f"is not taken by {call.command.name}: nothing can be read at its address")
        slots = [SlotValues({each.name: call.arguments.get(each.name) for each in query.arguments.parameters}, ())]
        plans = self._plans.get(query.name)
        if plans is None:
            plans = self._plans[query.name] = self._compile(query, slots)
        return replace(call, condition=Unchanged(given, read_tags(given, path), query, plans, slots, origin))

    def _compile(self, query: Query, slots: list[SlotValues]) -> _Plans:
        pick = Pick("", "", 0, whole(query.view))
        read = compile_plan(self._services.gate, slots, [lambda compiler: query.compile(compiler, pick)])
        compiler = Compiler(slots)
        return _Plans(Plan(to_text(query.hold(compiler)), compiler.bound), read)
