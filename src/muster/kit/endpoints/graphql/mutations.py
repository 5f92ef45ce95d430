"""Mutations: the fields of an operation one after the other, each in a transaction of its own, or all in one."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from graphql import GraphQLField
from graphql.execution.values import VariableValues

from muster.kit.caller import Origin
from muster.kit.commands.batch import Batch, Call
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.commands.context import Services
from muster.kit.commands.idempotency import RefusedBefore
from muster.kit.commands.run import Done, run_batch
from muster.kit.endpoints.graphql.errors import field_error
from muster.kit.endpoints.graphql.selections import Root, argument_values
from muster.kit.endpoints.keys import checked_key
from muster.kit.endpoints.problem import client_error
from muster.kit.endpoints.rendering import render
from muster.kit.errors import BadInput
from muster.kit.views.picks import SlotValues
from muster.kit.views.plans import plans_of

_KEY, _ATOMIC = "idempotencyKey", "atomic"


@dataclass(frozen=True)
class Terms:
    """How the client wants an operation to run. key: by which a repeat is known. atomic: in one transaction."""

    key: str | None = None
    atomic: bool = False


def read_terms(extensions: dict[str, Any] | None) -> Terms:
    """What `extensions` say of it. Raises BadInput for what is neither a key nor a truth."""
    if not extensions:
        return Terms()
    key, atomic = extensions.get(_KEY), extensions.get(_ATOMIC)
    if atomic is not None and not isinstance(atomic, bool):
        raise BadInput.field(f"extensions.{_ATOMIC}", "must be true or false")
    return Terms(None if key is None else checked_key(key, f"extensions.{_KEY}"), bool(atomic))


def with_key(extensions: dict[str, Any] | None, key: str) -> dict[str, Any]:
    """Extensions with the key of the request's header. Raises BadInput when they name another."""
    found = {_KEY: key, **(extensions or {})}
    if found[_KEY] != key:
        raise BadInput.field(f"extensions.{_KEY}", "differs from the header Idempotency-Key; give one of them")
    return found


@dataclass(frozen=True)
class MutationField:
    """A root field of a mutation. plan: what determines its picks. definition: of the field, in the schema."""

    plan: Hashable
    root: Root
    definition: GraphQLField
    variables: VariableValues
    slots: list[SlotValues]

    def call(self) -> Call:
        """The command that it stands for. Raises Invalid for arguments that do not fit."""
        command = COMMANDS[self.root.name]
        raw = argument_values(self.definition, self.root.node, self.variables)
        return Call(command, command.arguments.read(raw))


After = Callable[[Command, object], object]
"""Takes a command and its result, and answers with the one to show."""


@dataclass
class Told:
    """What the fields came to: their bodies by key, their errors.

    replayed: it was an earlier request with the same key that ran. undone: one failed, so none has happened. after: what
    each result goes through before it is shown.
    """

    after: After | None = None
    bodies: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    replayed: bool = False
    undone: bool = False

    def fail(self, failed: MutationField, error: Exception, origin: Origin) -> None:
        """Tell the error of a field; its place in the answer holds null."""
        told = client_error(error)
        root = failed.root
        self.bodies[root.key] = "null"
        self.replayed = self.replayed or isinstance(told, RefusedBefore)
        self.errors.append(field_error(told, origin.request_id, root.key, root.node))

    def tail(self) -> str:
        """The members of the response after `data`."""
        errors = f',"errors":{msgspec.json.encode(self.errors).decode()}' if self.errors else ""
        return errors + (',"extensions":{"idempotencyReplayed":true}' if self.replayed else "")


class Mutations:
    """Runs the root fields of mutations."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._plans = plans_of("results over GraphQL", services.gate)

    async def run(self, fields: Sequence[MutationField], terms: Terms, origin: Origin, after: After | None) -> Told:
        """Run them. Raises BadInput for one key on several transactions."""
        told = Told(after)
        if terms.atomic and fields:
            await self._run_together(fields, terms, origin, told)
            return told
        if terms.key is not None and len(fields) > 1:
            raise BadInput.field(
                f"extensions.{_KEY}", "is for one transaction; send one mutation, or ask for all in one with `atomic`"
            )
        for each in fields:
            await self._run_alone(each, terms, origin, told)
        return told

    async def _run_alone(self, each: MutationField, terms: Terms, origin: Origin, told: Told) -> None:
        try:
            (done,) = await run_batch(self._services, Batch([each.call()], origin, terms.key))
            await self._render(each, done, origin, told)
        except Exception as error:  # noqa: BLE001 - the sibling fields still run, and every error is told
            told.fail(each, error, origin)

    async def _run_together(self, fields: Sequence[MutationField], terms: Terms, origin: Origin, told: Told) -> None:
        batch = Batch([], origin, terms.key)
        try:
            for batch.at, each in enumerate(fields):
                batch.calls.append(each.call())
            done = await run_batch(self._services, batch)
        except Exception as error:  # noqa: BLE001 - as above
            told.fail(fields[batch.at], error, origin)
            told.undone = True
            return
        for each, result in zip(fields, done, strict=True):
            try:
                await self._render(each, result, origin, told)
            except Exception as error:  # noqa: BLE001 - as above: it has happened, and only cannot be shown
                told.fail(each, error, origin)

    async def _render(self, each: MutationField, done: Done, origin: Origin, told: Told) -> None:
        told.replayed = told.replayed or done.replayed
        root = each.root
        if told.after is not None:
            done = replace(done, result=told.after(COMMANDS[root.name], done.result))
        told.bodies[root.key] = await render(
            self._services, self._plans, each.plan, done, origin, root.pick, each.slots
        )
