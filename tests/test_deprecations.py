"""What is deprecated says so everywhere, and an operator sees who still uses it."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from graphql import print_schema

from muster import main
from muster.events.views import EventView
from muster.kit import tally
from muster.kit.db.migrate import Urls
from muster.kit.deprecation import Deprecation
from muster.kit.endpoints.edge import CLIENT_HEADER
from muster.kit.endpoints.graphql import types
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.openapi.document import openapi_document
from muster.kit.metrics import REGISTRY
from muster.kit.tally import Use, Uses
from muster.kit.views.query import QUERIES
from muster.testing.serving import Service, serving_in_process

SAID = Deprecation("Use something newer.", date(2026, 11, 1), date(2027, 5, 1))
TOKEN = "o" * 40


@pytest.fixture
def deprecated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A query and a field of a view are deprecated, in a schema of the test's own."""
    monkeypatch.setitem(QUERIES, "myEvents", replace(QUERIES["myEvents"], deprecated=SAID))
    monkeypatch.setitem(QUERIES, "events", replace(QUERIES["events"], deprecated=SAID))
    monkeypatch.setattr(EventView, "deprecated", {"title": SAID})
    monkeypatch.setattr(main, "_schema", build_schema)
    _forget_types()
    yield
    _forget_types()


@pytest_asyncio.fixture
async def service(urls: Urls, deprecated: None) -> AsyncIterator[Service]:
    async with serving_in_process(urls, MUSTER_OPERATOR_TOKEN=TOKEN) as service:
        yield service


def _forget_types() -> None:
    for each in vars(types).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()


def test_a_deprecation_is_whole() -> None:
    with pytest.raises(TypeError, match="instead"):
        Deprecation(" ", date(2026, 1, 1))
    with pytest.raises(TypeError, match="goes only after"):
        Deprecation("Use another.", date(2026, 1, 1), date(2026, 1, 1))


@pytest.mark.usefixtures("deprecated")
def test_both_contracts_say_so() -> None:
    reason = "Use something newer. It may go on 2027-05-01."
    assert f'  title: String! @deprecated(reason: "{reason}")' in print_schema(build_schema())
    document = json.loads(openapi_document())
    assert document["paths"]["/api/v1/me/events"]["get"]["deprecated"] is True
    assert document["components"]["schemas"]["Event"]["properties"]["title"]["deprecated"] is True
    assert "deprecated" not in document["components"]["schemas"]["Event"]["properties"]["id"]


async def test_answers_say_so_and_the_operator_sees_who_asks(service: Service) -> None:
    answer = await service.http.get("/api/v1/events", headers={CLIENT_HEADER: "shop"})
    assert answer.headers["deprecation"] == "@1793491200"
    assert answer.headers["sunset"] == "Sat, 01 May 2027 00:00:00 GMT"
    assert "deprecation" not in (await service.http.get("/api/v1/tenants/00000000-0000-7000-8000-000000000001")).headers
    text = "query Titles { events { nodes { title } } }"
    for headers in ({CLIENT_HEADER: "shop"}, {"user-agent": "kiosk/2.1 (linux)"}, {"user-agent": "kiosk/2.2"}):
        assert (await service.http.post("/graphql", json={"query": text}, headers=headers)).status_code == 200
    await service.http.post("/graphql", json={"query": "{ __typename }"})

    assert (await service.http.get("/api/v1/admin/deprecations")).status_code == 401
    operator = {"authorization": f"Bearer {TOKEN}"}
    told = (await service.http.get("/api/v1/admin/deprecations", headers=operator)).json()["deprecated"]
    found: dict[str, Any] = {each["names"][0]: each for each in told}
    assert found["Query.events"]["names"] == ["Query.events", "GET /api/v1/events"]
    assert (found["Query.events"]["instead"], found["Query.events"]["sunset"]) == ("Use something newer.", "2027-05-01")
    by_graphql = [
        {"operation": "Titles", "client": "kiosk", "count": 2},
        {"operation": "Titles", "client": "shop", "count": 1},
    ]
    by_rest = [{"operation": "rest", "client": "shop", "count": 1}]
    assert _sorted(found["Query.events"]["uses"]) == _sorted([*by_graphql, *by_rest])
    assert _sorted(found["Event.title"]["uses"]) == by_graphql
    assert found["Query.myEvents"]["uses"] == []
    assert (REGISTRY.get_sample_value("graphql_fields_total", {"field": "Event.title"}) or 0) >= 3


def _sorted(uses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(uses, key=lambda each: (each["operation"], each["client"]))


def test_uses_are_summed_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "_MOST_UNSUMMED", 2)
    uses, one, other = Uses("uses_total", "Uses.", "name"), Use(["a", "b"]), Use(["b"])
    for use in (one, one, other, one, other):
        uses.count(use)
    (family,) = uses.collect()
    assert {sample.labels["name"]: sample.value for sample in family.samples} == {"a": 3, "b": 5}
    (again,) = uses.collect()
    assert [sample.value for sample in again.samples] == [3, 5]
