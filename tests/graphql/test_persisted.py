"""Persisted operations by Apollo's protocol, and the operator's list of those that alone may run."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from muster.kit.endpoints.graphql import persisted
from muster.kit.endpoints.graphql.persisted import hash_of, read_list
from muster.kit.processes import CannotRun
from muster.main import operations_list
from muster.testing.people import Standing
from muster.testing.serving import Service, serving, serving_in_process
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

ME = "query Me { me { name } }"


def named(text: str, **extension: Any) -> dict[str, Any]:
    """The extension that names a document."""
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text), **extension}}


async def ask(service: Service, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    accept = {"accept": "application/graphql-response+json"}
    return await service.http.post("/graphql", json=body, headers={**accept, **(headers or {})})


def code(response: httpx.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


async def test_a_hash_stands_for_what_was_sent_with_it(town: Town) -> None:
    member = town.client(Standing.MEMBER).headers()
    unknown = await ask(town.service, member, extensions=named(ME))
    assert (unknown.json()["errors"][0]["message"], code(unknown)) == (
        "PersistedQueryNotFound",
        "PERSISTED_QUERY_NOT_FOUND",
    )
    told = {"data": {"me": {"name": "main member"}}}
    assert (await ask(town.service, member, query=ME, extensions=named(ME))).json() == told
    assert (await ask(town.service, member, extensions=named(ME))).json() == told
    assert (await ask(town.service, member, extensions=named(ME, sha256Hash=hash_of(ME).upper()))).json() == told
    params = {"extensions": json.dumps(named(ME))}
    assert (await town.service.http.get("/graphql", params=params, headers=member)).json() == told


async def test_a_cache_keeps_what_visitors_read_by_a_hash(town: Town) -> None:
    text = "{ events(first: 1) { totalCount } }"
    assert (await ask(town.service, query=text, extensions=named(text))).status_code == 200
    params = {"extensions": json.dumps(named(text))}
    first = await town.service.http.get("/graphql", params=params)
    assert (first.headers["cache-control"], "accept" in first.headers["vary"].lower()) == ("no-cache", True)
    again = await town.service.http.get("/graphql", params=params, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    member = town.client(Standing.MEMBER).headers()
    personal = await town.service.http.get("/graphql", params=params, headers=member)
    assert personal.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "extension",
    [
        named("{ another }"),
        named(ME, version=2),
        named(ME, version="1"),
        named(ME, sha256Hash=5),
        {"persistedQuery": None, "other": 1},
        {"persistedQuery": []},
        {"persistedQuery": {"version": 1}},
    ],
)
async def test_what_does_not_fit_is_refused(extension: dict[str, Any], town: Town) -> None:
    """A hash of something else would poison what others read."""
    poisoned = await ask(town.service, query="{ me { email } }", extensions=extension)
    if extension.get("persistedQuery") is None:
        assert code(poisoned) == "UNAUTHENTICATED", "nothing is named, so it runs"
        poisoned = await ask(town.service, extensions=extension)
    assert (poisoned.status_code, code(poisoned)) == (400, "BAD_USER_INPUT")


async def test_what_is_not_good_is_not_remembered(town: Town) -> None:
    bad = "{ nothing }"
    assert code(await ask(town.service, query=bad, extensions=named(bad))) == "GRAPHQL_VALIDATION_FAILED"
    assert code(await ask(town.service, extensions=named(bad))) == "PERSISTED_QUERY_NOT_FOUND"


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted, "_MOST_KEPT", 2)
    kept = persisted.Persisted(None)
    for text in ("a", "b", "a", "c"):
        kept.keep(hash_of(text), text)
    assert kept.find(None, named("a")) == ("a", None)
    with pytest.raises(persisted.PersistedQueryNotFound):
        kept.find(None, named("b"))


@pytest.mark.parametrize("form", ["manifest", "object"])
async def test_only_listed_operations_run(form: str, town: Town, tmp_path: Path) -> None:
    """By hash or whole; others are refused before they are parsed."""
    file = tmp_path / "operations.json"
    operations = [{"id": hash_of(ME), "name": "Me", "type": "query", "body": ME}]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    file.write_text(json.dumps(manifest if form == "manifest" else {hash_of(ME): ME}))
    member = town.client(Standing.MEMBER).headers()
    async with serving_in_process(town.service.urls, MUSTER_PERSISTED_ONLY=str(file)) as service:
        told = {"data": {"me": {"name": "main member"}}}
        assert (await ask(service, member, query=ME)).json() == told
        assert (await ask(service, member, extensions=named(ME))).json() == told
        assert (await ask(service, member, query=ME, extensions=named(ME))).json() == told
        other = f"{ME} "
        for body in (
            {"query": other},
            {"query": "{"},
            {"query": other, "extensions": named(other)},
            {"extensions": named(other)},
        ):
            refused = await ask(service, member, **body)
            assert (refused.status_code, code(refused)) == (403, "OPERATION_NOT_LISTED")


async def test_a_list_has_to_be_good(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "operations.json"
    for content in ("", "[]", '{"operations": [{}]}', '{"a": 5}'):
        file.write_text(content)
        with pytest.raises(CannotRun, match="no list of operations"):
            read_list(file)
    with pytest.raises(CannotRun):
        read_list(tmp_path / "nowhere.json")
    file.write_text(json.dumps({"a": "{ nothing }"}))
    with pytest.raises(CannotRun, match="nothing"):
        async with serving(town.service.urls, MUSTER_PERSISTED_ONLY=str(file)):
            pass


async def test_a_list_is_made_of_the_files_that_a_client_sends(tmp_path: Path) -> None:
    (tmp_path / "me.graphql").write_text(ME)
    listed = tmp_path / "operations.json"
    listed.write_text(operations_list([tmp_path / "me.graphql"]))
    assert read_list(listed) == {hash_of(ME): ME}
    (operation,) = json.loads(listed.read_text())["operations"]
    assert operation == {"id": hash_of(ME), "name": "Me", "type": "query", "body": ME}
    (tmp_path / "bad.graphql").write_text("{ nothing }")
    with pytest.raises(CannotRun, match="nothing"):
        operations_list([tmp_path / "bad.graphql"])
