"""REST and GraphQL are one thing: the same call gives the same answer, the same refusal, the same effects.

Two identical towns are walked through the same calls, one by each way. Refusals change nothing but the audit log.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLInputObjectType, is_required_input_field

from muster.kit.commands.command import COMMANDS, Command
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.openapi.document import openapi_document
from muster.kit.views.query import QUERIES
from muster.testing.below import ask, maintenance, snapshot, snapshot_over
from muster.testing.client import Answer, Way, endpoint
from muster.testing.matrix import examples, places
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process
from muster.testing.town import Town, moved

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
# What is random or holds ids or moments inside.
_OPAQUE = re.compile(r'"(accessToken|refreshToken|endCursor)": "[^"]*"|[0-9a-f]{32}@example\.org|town-[0-9a-f]{12}')
# They end the caller's session, so they come last.
_LAST = ("logout", "logoutEverywhere")


@dataclass(frozen=True)
class Outcome:
    """One call: its answer with ids and moments blanked, the tables it changed, what the audit log says of it."""

    call: str
    code: str | None
    body: str
    changed: tuple[str, ...]
    audited: tuple[str, ...]


def _calls(town: Town) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every endpoint, on each event of the town and about people of different standings."""
    events = {"event": town.event_id, "hidden": town.hidden_id, "draft": town.draft_id, "none": UUID(int=0)}
    people = (town.people[Standing.MEMBER], town.waiting, town.kicked, town.people[Standing.OWNER])
    names = [name for name in (*QUERIES, *COMMANDS) if name not in _LAST]
    for name in (*names, *_LAST):
        declared = endpoint(name)
        keys = {place.path for place in places(declared)}
        for event_id in events.values() if keys & {"id", "eventId"} else [None]:
            for person in people if "userId" in keys else [None]:
                given = examples(declared)
                given |= dict.fromkeys(keys & {"id", "eventId"}, event_id) | _messages(town, keys)
                yield name, given | ({} if person is None else {"userId": person.user_id})


def _messages(town: Town, keys: set[str]) -> dict[str, UUID]:
    """Where an endpoint takes a message of an event: beside an event's id, `id` is a message's."""
    return dict.fromkeys(keys & {"id", "messageId"}, town.message_id) if "eventId" in keys else {}


async def _walk(model: Town, urls: Urls, way: Way, standing: Standing) -> list[Outcome]:
    async with serving_in_process(urls) as service, maintenance(urls) as below:
        town = moved(model, service)
        client = town.client(standing)
        outcomes = []
        before = await snapshot_over(below)
        for number, (name, given) in enumerate(_calls(town)):
            answer = await client.call(name, way=way, **given)
            after = await snapshot_over(below)
            changed = tuple(table for table in before if before[table] != after[table])
            rows = [json.loads(row) for row in after["audit_rows"] if row not in before["audit_rows"]]
            audited = tuple(f"{row['verb']} {row['outcome']}" for row in rows)
            outcomes.append(Outcome(f"{number} {name}", *_comparable(answer), changed, audited))
            before = after
    return outcomes


def _comparable(answer: Answer) -> tuple[str | None, str]:
    if answer.missing:
        # REST has a status for what is not there, GraphQL has null.
        return "NOT_FOUND", ""
    text = json.dumps([answer.data, answer.problem], sort_keys=True)
    return answer.code, _OPAQUE.sub("<opaque>", _MOMENT.sub("<moment>", _ID.sub("<id>", text)))


def test_both_ways_let_the_same_fields_be_left_out() -> None:
    told = json.loads(openapi_document())["components"]["schemas"]
    for name, kind in build_schema().type_map.items():
        described = told.get(name) or told.get(name.removesuffix("Input"))
        if isinstance(kind, GraphQLInputObjectType) and described is not None:
            needed = {key for key, field in kind.fields.items() if is_required_input_field(field)}
            assert needed == set(described.get("required", ())), name


@pytest.mark.parametrize("standing", Standing)
async def test_both_ways_in_give_the_same_answers_and_effects(
    clone: Callable[..., AbstractContextManager[Urls]], model_town: Town, standing: Standing
) -> None:
    with clone(model_town.service.urls) as first, clone(model_town.service.urls) as second:
        rest = await _walk(model_town, first, Way.REST, standing)
        graphql = await _walk(model_town, second, Way.GRAPHQL, standing)
    assert rest == graphql
    for outcome in rest:
        name = outcome.call.split(" ")[1]
        if not isinstance(endpoint(name), Command):
            assert (outcome.changed, outcome.audited) == ((), ())
        elif outcome.code is None:
            assert outcome.audited == (f"{name} done",)
        else:
            assert set(outcome.changed) <= {"audit_rows"}, outcome
            assert set(outcome.audited) <= {f"{name} {outcome.code}"}, outcome


@pytest.mark.parametrize(
    ("standing", "codes"),
    [
        (Standing.ANONYMOUS, {"UNAUTHENTICATED"}),
        (Standing.OUTSIDER, {"NOT_ORGANISER", "EVENT_NOT_FOUND"}),
        (Standing.MEMBER, {"NOT_ORGANISER", "EVENT_NOT_FOUND"}),
        (Standing.SUSPENDED, {"NOT_A_MEMBER"}),
        (Standing.OTHER_TENANT, {"EVENT_NOT_FOUND"}),
    ],
)
async def test_who_may_not_is_refused_and_leaves_a_row(town: Town, standing: Standing, codes: set[str]) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    member = town.people[Standing.MEMBER]
    for way in Way:
        for event_id in (town.event_id, town.hidden_id, town.draft_id):
            kicked = await town.client(standing).call("kickMember", way=way, eventId=event_id, userId=member.user_id)
            published = await town.client(standing).call("publishEvent", way=way, id=event_id)
            assert {kicked.code, published.code} <= codes
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before
    refusals = await ask(town.service.urls, "select distinct outcome from audit_rows where outcome <> 'done'")
    audited = {"NOT_ORGANISER", "NOT_A_MEMBER"}
    assert {row[0] for row in refusals} == codes & audited
