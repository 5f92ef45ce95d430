"""Plans: a compiled read with the place of every value, kept and run.

The outermost select has neither FROM nor WHERE. Its columns are computed left to right: the isolation setting first,
in force for this statement only, then the caller, then the body.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ClauseElement, ColumnElement, null, select

from muster.kit.caller import REQUEST, SET_TENANT, Caller, Gate, Origin, read_caller
from muster.kit.db.replicas import Rows
from muster.kit.db.statements import SqlText, to_text
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import SlotValues


@dataclass(frozen=True)
class Plan:
    """A compiled read: its text, and which slot each of its parameters comes from."""

    sql: SqlText
    bound: Mapping[str, tuple[int, str]]

    def arguments(self, origin: Origin, slots: Sequence[SlotValues]) -> list[object]:
        """The values for one request in the order of the text."""
        values = origin.values()
        for parameter, (slot, name) in self.bound.items():
            values[parameter] = slots[slot].values[name]
        return self.sql.arguments(values)


Body = Callable[[Compiler], ColumnElement[str]]
"""Makes one JSON text with the compiler it is given."""


def compile_plan(gate: Gate | None, slots: Sequence[SlotValues], bodies: Sequence[Body]) -> Plan:
    """Compile the bodies of one read into one statement. gate: says how the caller is looked up; None where nobody asks."""
    compiler = Compiler(slots)
    statement = read_statement(gate, [body(compiler) for body in bodies])
    return Plan(to_text(statement), compiler.bound)


def read_statement(gate: Gate | None, bodies: Sequence[ColumnElement[str]]) -> ClauseElement:
    """The statement of a read: the isolation setting, then the caller, then the bodies."""
    columns = (body.label(f"body_{number}") for number, body in enumerate(bodies))
    return select(SET_TENANT.is_(None), null() if gate is None else gate.lookup(REQUEST), *columns)


async def run_plan(
    rows: Rows, plan: Plan, origin: Origin, slots: Sequence[SlotValues]
) -> tuple[Caller | None, Sequence[str]]:
    """Run a read: the caller as the database knows them, and the bodies that may be sent once they are admitted.

    Raises RuntimeError when a body is NULL, which a writer has then forgotten to guard.
    """
    row = await rows.row(plan.sql.text, plan.arguments(origin, slots))
    bodies: tuple[str, ...] = () if row is None else tuple(row)[2:]
    if row is None or None in bodies:
        raise RuntimeError("a compiled read answered NULL; some value lacks its `null`")
    return read_caller(row[1]), bodies


class PlanCache:
    """Compiled plans by what determines their text, the least recently used one dropped first."""

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._plans: OrderedDict[Hashable, Plan] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Plan]) -> Plan:
        """The plan for `key`, made when it is not there."""
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = make()
            if len(self._plans) > self._size:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(key)
        return plan


@lru_cache(maxsize=32)
def plans_of(kind: str, gate: Gate) -> PlanCache:
    """The plans of one kind of endpoint, for every application of this process: they follow from what is declared."""
    return PlanCache()
