"""The read compiler against the oracle: random documents, compiled, answer as graphql-core does over plain rows.

They are other documents every day, and ten times as many before a release.
"""

import gc
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from graphql import GraphQLSchema

from muster.kit.caller import Claim, Origin
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.errors import AppError
from muster.kit.views.tests.oracle_documents import Writer, Written
from muster.kit.views.tests.oracle_lists import Answer
from muster.kit.views.tests.oracle_rows import Oracle
from muster.kit.views.tests.oracle_world import World, fill
from muster.kit.views.tests.support import graphql_on
from muster.testing.thoroughness import TURN, as_much_as

_EACH = 250
_CHUNKS = as_much_as(4, thoroughly=40)
_FIRST = TURN * _EACH * _CHUNKS


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()


@pytest.fixture(scope="module")
def world(module_urls: Urls) -> World:
    return fill(module_urls.owner)


@pytest.fixture
async def graphql(module_urls: Urls, schema: GraphQLSchema) -> AsyncIterator[GraphQL]:
    async with graphql_on(module_urls.app) as graphql:
        yield graphql


@pytest.fixture(autouse=True)
def fewer_collections() -> Iterator[None]:
    """Compiling leaves many small objects that die at once; looking for cycles among them took a quarter of the time."""
    gc.disable()
    yield
    gc.enable()


async def _compiled(graphql: GraphQL, written: Written, claim: Claim) -> Answer:
    origin = Origin(claim, datetime.now(UTC), "oracle")
    try:
        body = await graphql.run(graphql.read(GraphQLRequest(written.text, written.variables)), origin)
    except AppError as refusal:
        return Answer(None, refusal.code)
    return Answer(json.loads(body, parse_int=float)["data"], None)


@pytest.mark.parametrize("chunk", range(_CHUNKS))
async def test_compiled_as_executed(chunk: int, graphql: GraphQL, schema: GraphQLSchema, world: World) -> None:
    viewers = [(name, claim, Oracle(world, claim)) for name, claim in world.viewers.items()]
    for seed in range(_FIRST + chunk * _EACH, _FIRST + (chunk + 1) * _EACH):
        name, claim, oracle = viewers[seed % len(viewers)]
        written = Writer(schema, world, oracle, seed).document()
        expected = oracle.answer(schema, written.text, written.variables)
        found = await _compiled(graphql, written, claim)
        assert _text(found) == _text(expected), (
            f"seed {seed}, viewer {name}\n{written.text}\nvariables {json.dumps(written.variables)}\n"
            f"compiled {_text(found)}\nexpected {_text(expected)}"
        )


def _text(answer: Answer) -> str:
    """As text, since the order of keys counts; 1 and 1.0 are one number in JSON."""
    return answer.refused or json.dumps(json.loads(json.dumps(answer.data), parse_int=float))
