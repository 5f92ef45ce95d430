"""What the pages of events read: one statement for each page, and one more for a city by name."""

from collections.abc import Hashable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Uuid

from muster.events.joining.views import EventJoinFormView
from muster.events.programme.views import AgendaHostView, AgendaItemView, FaqView
from muster.events.views import EventMemberView, EventView
from muster.kit.caller import anyone
from muster.kit.endpoints.pages.page import Visit
from muster.kit.limits import READ
from muster.kit.views.compiler import Compiler
from muster.kit.views.page_arguments import read_page
from muster.kit.views.picks import Pick, SlotValues, page_of, whole, whole_page
from muster.kit.views.plans import Body, compile_plan, plans_of, run_plan
from muster.kit.views.query import QUERIES
from muster.kit.views.writing import or_null

SHOWN_MEMBERS = 30
"""People whom a page names; how many more there are it says."""
_EVENT, _MEMBERS, _AGENDA, _HOSTS, _FAQS, _OWN, _MAY = range(7)
_PERSON = Pick("user", "user", picks=(Pick("id", "id"), Pick("name", "name")))
_MEMBER = (Pick("role", "role"), Pick("partySize", "partySize"), _PERSON)


async def read_event(visit: Visit, event_id: UUID, key: str | None) -> dict[str, Any] | None:
    """An event with what belongs to it, as the visitor sees it; None when there is none for them.

    key: of its share link. The event comes with `members`, `agenda`, `faqs`, `form`, `own`, the visitor's membership,
    and `may`, what they may do with it.
    """
    slots = [
        QUERIES["event"].read({"id": str(event_id), **({} if key is None else {"key": key})}),
        read_page(EventMemberView, "members", {"first": SHOWN_MEMBERS, "filter": {"status": "JOINED"}}, {}),
        read_page(AgendaItemView, "agenda", {"first": 50}, {}),
        read_page(AgendaHostView, "hosts", {"first": 10}, {}),
        read_page(FaqView, "faqs", {"first": 50}, {}),
        QUERIES["myMembershipForEvent"].read({"eventId": str(event_id)}),
        QUERIES["eventPermissions"].read({"id": str(event_id)}),
    ]
    event, *rest = await _read(visit, "event", slots, [_event, _agenda, _faqs, _form, _own, _may])
    # What belongs to the event is read beside it, and shown with it alone.
    return (
        None if event is None else {**event, **dict(zip(("agenda", "faqs", "form", "own", "may"), rest, strict=True))}
    )


async def read_events(visit: Visit, chosen: dict[str, object]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A page of events, and the categories to choose from. chosen: arguments of `events`. Raises Invalid, BadInput."""
    categories: dict[str, object] = {"first": 100, "filter": {"kind": "CATEGORY"}}
    slots = [QUERIES["events"].read(chosen), QUERIES["topics"].read(categories)]
    found, topics = await _read(visit, "events", slots, [_list("events", 0), _list("topics", 1)])
    return found, topics["items"]


async def read_cities(visit: Visit, name: str) -> list[dict[str, Any]]:
    """The cities that a name may mean, the likeliest first."""
    slots = [QUERIES["cities"].read({"first": 5, "filter": {"text": name}, "order": "RELEVANCE"})]
    (found,) = await _read(visit, "cities", slots, [_list("cities", 0)])
    items: list[dict[str, Any]] = found["items"]
    return items


async def _read(visit: Visit, name: str, slots: Sequence[SlotValues], bodies: Sequence[Body]) -> list[Any]:
    services = visit.services
    await services.limiter.draw((READ,), visit.origin)
    key: Hashable = (name, *(each.shape for each in slots))
    plan = plans_of("pages of events", services.gate).get(key, lambda: compile_plan(services.gate, slots, bodies))
    caller, texts = await run_plan(services.database, plan, visit.origin, slots)
    services.gate.admit(visit.origin.claim, caller, anyone, None)
    return [msgspec.json.decode(each) for each in texts]


def _list(name: str, slot: int) -> Body:
    return lambda compiler: QUERIES[name].compile(compiler, whole_page(QUERIES[name].view, slot))


def _event(compiler: Compiler) -> ColumnElement[str]:
    members = page_of(_MEMBER, _MEMBERS)
    picks = (*whole(EventView), Pick("members", "members", _MEMBERS, members.picks))
    return QUERIES["event"].compile(compiler, Pick("", "", _EVENT, picks))


def _agenda(compiler: Compiler) -> ColumnElement[str]:
    hosts = page_of((Pick("name", "name"), _PERSON), _HOSTS)
    picks = (
        *(Pick(name, name) for name in ("title", "description", "startsAt", "endsAt")),
        Pick("hosts", "hosts", _HOSTS, hosts.picks),
    )
    return compiler.page(AgendaItemView, page_of(picks, _AGENDA), _of_event(compiler), within_checked=True)


def _faqs(compiler: Compiler) -> ColumnElement[str]:
    return compiler.page(FaqView, whole_page(FaqView, _FAQS), _of_event(compiler), within_checked=True)


def _form(compiler: Compiler) -> ColumnElement[str]:
    form = compiler.alias(EventJoinFormView)
    asked = compiler.written(EventJoinFormView, form, [Pick("questions", "questions")])
    return or_null(asked.where(_of_event(compiler)(form.c)).scalar_subquery())


def _own(compiler: Compiler) -> ColumnElement[str]:
    return QUERIES["myMembershipForEvent"].compile(compiler, Pick("", "", _OWN, whole(EventMemberView)))


def _may(compiler: Compiler) -> ColumnElement[str]:
    return QUERIES["eventPermissions"].compile(compiler, Pick("", "", _MAY, (Pick("deeds", "deeds"),)))


def _of_event(compiler: Compiler) -> Any:
    """The condition that a row belongs to the event that is read."""
    return lambda row: row.event_id == compiler.bind(_EVENT, "id", Uuid())
