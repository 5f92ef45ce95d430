"""Delivery: one statement per fact and selection asks who of many viewers may have the element, and what it is.

The statement answers with each distinct element and the viewers it is for. A selection that does not depend on the
viewer is computed by PostgreSQL once (its sub-select mentions nothing of the viewers) and encoded here once.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
)

from muster.kit.caller import REQUEST, SET_TENANT, TENANT, Caller, Claim, ClaimSql, Gate, Origin
from muster.kit.db.database import Database
from muster.kit.db.statements import to_text
from muster.kit.errors import AppError, Denied, NotFound
from muster.kit.realtime.cursors import write_position
from muster.kit.realtime.reading import PlacedFact
from muster.kit.realtime.stream import Outcome, Stream
from muster.kit.realtime.subscription import FactSubscription, Subscription
from muster.kit.realtime.watch import Present
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues
from muster.kit.views.plans import Plan, compile_plan, plans_of, run_plan
from muster.kit.views.scope import Scope
from muster.kit.views.view import Viewer
from muster.kit.views.writing import constant, join, json_object

# Delivery shares the pool with requests, and leaves most of it to them.
_STATEMENTS_AT_ONCE = 8

_VIEWERS = (
    func.unnest(*(bindparam(name, type_=ARRAY(Uuid())) for name in ("users", "sessions", "actors")))
    .table_valued(*(column(name, Uuid()) for name in ("user_id", "session_id", "by")), with_ordinality="number")
    .render_derived("viewers")
)
# As text, since a column of `_VIEWERS` would bring it into the FROM of every sub-select that mentions the viewer.
_USER: ColumnElement[UUID] = literal_column("viewers.user_id", Uuid())
_SESSION: ColumnElement[UUID] = literal_column("viewers.session_id", Uuid())
_BY: ColumnElement[UUID] = literal_column('viewers."by"', Uuid())
_NUMBER: ColumnElement[int] = literal_column("viewers.number", BigInteger())
_CLAIM = ClaimSql(tenant_id=TENANT, user_id=_USER, session_id=_SESSION, by=_BY, now=REQUEST.now)
_VIEWER = Viewer(user_id=_USER, tenant_id=TENANT, now=REQUEST.now)

_ROW: ColumnElement[UUID] = bindparam("row", type_=Uuid())
_TOPIC: ColumnElement[UUID] = bindparam("topic", type_=Uuid())
_CURSOR: ColumnElement[str] = bindparam("cursor", type_=Text())
_NOTHING: ColumnElement[str] = literal_column("null", Text())


class _Answer(msgspec.Struct, frozen=True):
    """What is the same for some claims, by their numbers. element: None when their viewers may not see the row."""

    caller: Caller | None
    element: str | None
    claims: list[int]


_decode = msgspec.json.Decoder(list[_Answer]).decode


class Delivery:
    """Asks the database who may follow what, at subscribe and for every element."""

    def __init__(self, database: Database, gate: Gate) -> None:
        self._database = database
        self._gate = gate
        self._plans = plans_of("streams", gate)
        self._free = asyncio.Semaphore(_STATEMENTS_AT_ONCE)

    async def admit(self, subscription: Subscription, topic_id: UUID, origin: Origin) -> None:
        """Let a viewer subscribe.

        Raises TenantNotFound, Unauthenticated, NotAMember or Denied as every endpoint does, NotFound for a topic that
        they do not see, Denied for one that they see but may not follow.
        """
        slots = (SlotValues({"topic": topic_id}, ()),)

        def standing(compiler: Compiler) -> ColumnElement[str]:
            return _standing(compiler, subscription, compiler.bind(0, "topic", Uuid()))

        plan = self._plans.get(subscription.name, lambda: compile_plan(self._gate, slots, [standing]))
        caller, (found,) = await run_plan(self._database, plan, origin, slots)
        self._gate.admit(origin.claim, caller, subscription.allow, subscription.permission)
        if (refusal := _STANDINGS[found]) is not None:
            raise refusal

    async def elements(self, fact: PlacedFact, streams: Sequence[Stream]) -> list[Outcome]:
        """What a fact comes to for each of some streams that have one selection and one topic.

        An element; a refusal, when its viewer may not be here any more; or None, when they may not see the row.
        """
        known, first = fact.read(), streams[0]
        if known is None:
            return [None] * len(streams)
        request, subscription = first.request, _of_facts(first)
        plan = self._plans.get(first.shape, lambda: _element_plan(self._gate, first))
        values: dict[str, object] = {
            "row": getattr(known, subscription.row),
            "topic": first.topic_id,
            "cursor": write_position(fact.position, first.tag),
        }
        values |= {parameter: request.slots[slot].values[name] for parameter, (slot, name) in plan.bound.items()}
        outcomes: list[Outcome] = [None] * len(streams)
        for answer, places in await self._ask(plan, streams, values):
            element = None if answer.element is None else request.written(answer.element)
            for place in places:
                outcomes[place] = self._refusal(streams[place], answer.caller) or element
        return outcomes

    async def standings(self, streams: Sequence[Stream]) -> list[AppError | None]:
        """For each of some streams of one subscription and topic, why it may not be followed any more; None while it may."""
        first = streams[0]
        plan = self._plans.get(("standing", first.request.subscription.name), lambda: _standing_plan(self._gate, first))
        outcomes: list[AppError | None] = [None] * len(streams)
        for answer, places in await self._ask(plan, streams, {"topic": first.topic_id}):
            lost = _STANDINGS[answer.element or "open"]
            for place in places:
                gone = None if lost is None else lost()
                outcomes[place] = self._refusal(streams[place], answer.caller) or gone
        return outcomes

    async def refusals(self, presents: Sequence[Present]) -> list[AppError | None]:
        """For each of some that are present in one tenant, why they may not be any more; None while they may."""
        plan = self._plans.get("", lambda: _viewers_plan(self._gate, _NOTHING, Scope()))
        outcomes: list[AppError | None] = [None] * len(presents)
        for answer, places in await self._ask(plan, presents, {}):
            for place in places:
                outcomes[place] = self._refusal(presents[place], answer.caller)
        return outcomes

    async def _ask(
        self, plan: Plan, viewers: Sequence[Present], values: dict[str, object]
    ) -> list[tuple[_Answer, list[int]]]:
        """The answers, each with the places of its viewers. What has one claim, such as the tabs of one device, is asked
        about once.
        """
        places: dict[Claim, list[int]] = {}
        for place, viewer in enumerate(viewers):
            places.setdefault(viewer.claim, []).append(place)
        claims, of_claims = list(places), list(places.values())
        whole = values | {
            "tenant": str(claims[0].tenant_id),
            "now": datetime.now(UTC),
            "users": [claim.user_id for claim in claims],
            "sessions": [claim.session_id for claim in claims],
            "actors": [claim.by for claim in claims],
        }
        async with self._free, self._database.connection() as connection:
            row = await connection.fetchrow(plan.sql.text, *plan.sql.arguments(whole))
        answers = [] if row is None else _decode(row[1])
        return [(each, [place for number in each.claims for place in of_claims[number - 1]]) for each in answers]

    def _refusal(self, viewer: Present, caller: Caller | None) -> AppError | None:
        try:
            self._gate.admit(viewer.claim, caller, viewer.allow, viewer.permission)
        except AppError as error:
            return error
        return None


_STANDINGS: dict[str, type[AppError] | None] = {"open": None, "unseen": NotFound, "refused": Denied}
"""What each answer of `_standing` is refused with."""


def _of_facts(stream: Stream) -> FactSubscription:
    subscription = stream.request.subscription
    if not isinstance(subscription, FactSubscription):
        raise TypeError(f"{subscription.name} is told without facts")
    return subscription


def _standing_plan(gate: Gate, stream: Stream) -> Plan:
    """The statement that asks many viewers' right to a topic."""
    scope = Scope(viewer=_VIEWER)
    return _viewers_plan(gate, _standing(scope, stream.request.subscription, _TOPIC), scope)


def _standing(scope: Scope, subscription: Subscription, topic_id: ColumnElement[UUID]) -> ColumnElement[str]:
    """Whether the viewer may follow the topic: `open`, `refused` or `unseen`."""
    if subscription.topic is None:
        return constant("open")
    seen = scope.exists(subscription.topic, lambda row: row.id == topic_id)
    return case(
        (_may_follow(scope, subscription, topic_id), constant("open")),
        (seen, constant("refused")),
        else_=constant("unseen"),
    )


def _may_follow(scope: Scope, subscription: Subscription, topic_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The right to a topic, the same at subscribe and for every element."""
    topic, may = subscription.topic, subscription.may
    if topic is None:
        raise TypeError(f"{subscription.name} has no topic; its viewer may always follow themself")
    return scope.exists(topic, lambda row: and_(row.id == topic_id, *([] if may is None else [may(row, scope.viewer)])))


def _element_plan(gate: Gate, stream: Stream) -> Plan:
    """The statement for one selection of one subscription."""
    request, subscription = stream.request, _of_facts(stream)
    compiler = Compiler(request.slots, _VIEWER)

    def part(pick: Pick) -> str | ColumnElement[str]:
        if pick.name == "__typename":
            return f'"{subscription.type_name}"'
        if pick.name == "cursor":
            return join(['"', _CURSOR, '"'])
        return compiler.reference(subscription.view, pick, _ROW)

    if request.key is None:
        element = compiler.reference(subscription.view, Pick("", "", picks=request.picks), _ROW)
    else:
        element = json_object((pick.key, part(pick)) for pick in request.picks)
    conditions = [compiler.exists(subscription.view, lambda row: row.id == _ROW)]
    if subscription.topic is not None:
        conditions.append(_may_follow(compiler, subscription, _TOPIC))
    return _viewers_plan(gate, case((and_(*conditions), element)), compiler)


def _viewers_plan(gate: Gate, element: ColumnElement[str], scope: Scope) -> Plan:
    """Each distinct caller and element with the numbers of the claims they are for, as one JSON text."""
    each = (
        select(gate.lookup(_CLAIM).label("caller"), cast(element, Text).label("element"), _NUMBER.label("number"))
        .select_from(_VIEWERS)
        .subquery("each")
    )
    alike = (
        select(each.c.caller, each.c.element, func.array_agg(each.c.number).label("claims"))
        .group_by(each.c.caller, each.c.element)
        .subquery("alike")
    )
    answer = func.json_build_object(
        constant("caller"),
        cast(alike.c.caller, JSON),
        constant("element"),
        alike.c.element,
        constant("claims"),
        alike.c.claims,
    )
    answers = select(cast(func.json_agg(answer), Text)).select_from(alike).scalar_subquery()
    return Plan(to_text(select(SET_TENANT.is_(None), answers)), scope.bound)
