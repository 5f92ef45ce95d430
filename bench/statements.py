"""The statements behind the scenarios, as the compiler writes them, for pgbench; and the same without isolation."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from graphql import OperationDefinitionNode, get_variable_values, parse
from sqlalchemy import Alias, ClauseElement, Select, Table
from sqlalchemy.sql import visitors

import muster.slices  # noqa: F401 - declares every query
from bench.data import Sample
from bench.floor import Sql
from bench.scenarios import NESTED, SINGLE
from muster.access.gate import GATE
from muster.kit.caller import TENANT, Claim, Origin
from muster.kit.db.statements import to_text
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.graphql.selections import Selection, read_slots
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues, whole, whole_page
from muster.kit.views.plans import Plan, read_statement
from muster.kit.views.query import QUERIES

_SCHEMA = build_schema()


class Statement:
    """One read of one caller, before it is text. name: of the query. pick, slots: what of it is wanted."""

    def __init__(self, name: str, pick: Pick, slots: Sequence[SlotValues], origin: Origin) -> None:
        self._query, self._pick, self._slots, self._origin = QUERIES[name], pick, slots, origin

    def isolated(self) -> Sql:
        """As it is served."""
        return self._sql(lambda element: None)

    def bare(self) -> Sql:
        """For a role that row security does not bind: every table is asked for the tenant's rows in so many words."""
        return self._sql(_name_tenant)

    def _sql(self, change: Callable[[ClauseElement], None]) -> Sql:
        compiler = Compiler(self._slots)
        element = read_statement(GATE, [self._query.compile(compiler, self._pick)])
        change(element)
        plan = Plan(to_text(element), compiler.bound)
        return Sql(plan.sql.text, tuple(plan.arguments(self._origin, self._slots)))


def _name_tenant(element: ClauseElement) -> None:
    known: set[object] = set()
    # Outer selects come before inner ones, so a table that an inner one refers to is known by then.
    for select in [each for each in visitors.iterate(element) if isinstance(each, Select)]:
        tables = [each for each in select.get_final_froms() if isinstance(each, Alias | Table) and each not in known]
        known.update(tables)
        for table in tables:
            if "tenant_id" in table.c:
                # Nothing public changes a select where it stands.
                select._where_criteria += (table.c.tenant_id == TENANT,)


class Statements:
    """The statements of one caller, who asks as in the scenarios."""

    def __init__(self, sample: Sample, user_id: UUID, session_id: UUID) -> None:
        self._sample = sample
        self._origin = Origin(Claim(sample.tenant, user_id, session_id), datetime.now(UTC), "bench")

    def of(self, scenario: str) -> Statement:
        """The statement behind a scenario that reads."""
        event = str(self._sample.settled[0])
        match scenario:
            case "nested":
                return self._graphql("events", NESTED, count=20)
            case "single":
                return self._graphql("event", SINGLE, id=event)
            case "get":
                return self._rest("event", id=event)
        return self._rest("events", first="20")

    def search(self, words: str) -> Statement:
        """The best 20 matches of a text."""
        return self._rest("events", first="20", order="RELEVANCE", filter={"text": words})

    def near(self, latitude: float, longitude: float, radius_km: float) -> Statement:
        """The nearest 20 within a circle."""
        circle = {"latitude": latitude, "longitude": longitude, "radiusKm": radius_km}
        return self._rest("events", first="20", order="DISTANCE", filter={"near": circle})

    def _rest(self, name: str, **given: object) -> Statement:
        query = QUERIES[name]
        pick = whole_page(query.view, 0) if query.paged else Pick("", "", 0, whole(query.view))
        return Statement(name, pick, [query.read(given, from_text=True)], self._origin)

    def _graphql(self, name: str, text: str, **given: object) -> Statement:
        (node,) = parse(text).definitions
        if not isinstance(node, OperationDefinitionNode):
            raise TypeError(f"{name}: the document is no operation")
        variables = get_variable_values(_SCHEMA, node.variable_definitions or (), given)
        if isinstance(variables, list):
            raise variables[0]
        selection = Selection(_SCHEMA, node, {}, variables)
        ((key, details),) = selection.roots()
        pick = selection.root(key, details).pick
        return Statement(name, pick, read_slots(selection.sources, variables), self._origin)
