"""REST and GraphQL are one thing: the same call gives the same answer, the same refusal, the same effects.

Two identical towns are walked through the same calls, one by each way. Refusals change nothing but the audit log.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from graphql import GraphQLInputObjectType, is_required_input_field

from muster.kit.commands.command import Command
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.openapi.document import openapi_document
from muster.testing.below import ask, snapshot
from muster.testing.client import Way, endpoint
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process
from muster.testing.town import Town
from muster.testing.walk import walk


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
        async with serving_in_process(first) as service:
            rest = await walk(model_town, service, Way.REST, standing)
        async with serving_in_process(second) as service:
            graphql = await walk(model_town, service, Way.GRAPHQL, standing)
    assert rest == graphql
    for outcome in rest:
        declared = endpoint(outcome.call.split(" ")[1])
        name = declared.name
        if not (isinstance(declared, Command) and declared.is_kept):
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
