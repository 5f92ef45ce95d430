"""Rendering: what a command returned, read back for the caller in one statement."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from msgspec import structs
from sqlalchemy import ColumnElement, Uuid

from muster.kit.caller import Origin
from muster.kit.commands.context import Services
from muster.kit.commands.run import Done
from muster.kit.errors import Gone
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues
from muster.kit.views.plans import PlanCache, compile_plan, run_plan
from muster.kit.views.results import Payload, compile_payload, payload_values
from muster.kit.views.view import View


class ResultGone(Gone):
    """This was done; what it gave has been removed since."""

    code = "RESULT_GONE"


async def render(
    services: Services, plans: PlanCache, key: Hashable, done: Done, origin: Origin, pick: Pick, slots: list[SlotValues]
) -> str:
    """The result of a command as JSON text.

    key: what determines the picks; with the slots' shapes it determines the statement. slots: the first is filled
    here. The command has committed, so nobody is asked for admission again, and a reference is not asked whether it
    is visible. Raises ResultGone when somebody has removed it since.
    """
    result = done.result
    if result is None:
        return "true"
    filled = [payload_values(result) if isinstance(result, Payload) else _reference(result), *slots[1:]]

    def body(compiler: Compiler) -> ColumnElement[str]:
        return _compile(compiler, type(result), pick)

    shapes = tuple(slot.shape for slot in filled)
    plan = plans.get((key, shapes), lambda: compile_plan(None, filled, [body]))
    claim = structs.replace(origin.claim, user_id=done.viewer)
    _, bodies = await run_plan(services.database, plan, replace(origin, claim=claim), filled)
    if bodies[0] == "null":
        raise ResultGone
    return bodies[0]


def _reference(view: View) -> SlotValues:
    return SlotValues({"id": view.row_id}, ())


def _compile(compiler: Compiler, kind: Any, pick: Pick) -> ColumnElement[str]:
    if issubclass(kind, Payload):
        return compile_payload(compiler, kind, pick)
    return compiler.reference(kind, pick, compiler.bind(0, "id", Uuid()))
