"""Pages: what is shown is escaped, every failure is a page, and nothing foreign is loaded."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.pages.page import PAGES, Visit, page
from muster.kit.endpoints.pages.serving import problem_page
from muster.kit.errors import AppError
from muster.kit.words import section
from muster.testing.serving import Service, serving_in_process

PROBLEM = "kit/endpoints/pages/templates/problem.html"
WORDS = section("kit.status_400", "en")


async def _echo(visit: Visit) -> Response:
    return visit.show(PROBLEM, words=WORDS, detail=visit.field("word"), number="")


async def _break(_visit: Visit) -> Response:
    raise RuntimeError("with a secret in its text")


async def _sign_in(visit: Visit) -> Response:
    session = await visit.run("devLogin", name=visit.field("name"))
    return visit.show(PROBLEM, words=WORDS, detail=f"Signed in {session.user.row_id}", number="")


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    """Pages of this test's own."""
    before = dict(PAGES)
    page("GET /t/say/{word}")(_echo)
    page("POST /t/say")(_echo)
    page("GET /t/break")(_break)
    page("POST /t/sign-in")(_sign_in)
    page("GET /t/dev/{word}", development=True)(_echo)
    yield
    PAGES.clear()
    PAGES.update(before)


@pytest.fixture
async def service(urls: Urls, declared: None) -> AsyncIterator[Service]:
    async with serving_in_process(urls) as service:
        yield service


async def test_what_is_shown_is_escaped(service: Service) -> None:
    hostile = "<script>alert('x')"
    for response in (
        await service.http.get(f"/t/say/{hostile}"),
        await service.http.post("/t/say", data={"word": hostile}),
    ):
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in response.text
    assert "&lt;script&gt;alert(&#39;x&#39;)" in response.text


async def test_a_page_loads_and_tells_nothing_foreign(service: Service) -> None:
    response = await service.http.get("/t/say/hello")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "private, no-store"
    loaded = re.findall(r'(?:href|src)="([^"]*)"', response.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/assets/")
        found = await service.http.get(address)
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]


async def test_assets_of_another_release_are_not_found(service: Service) -> None:
    for address in ("/assets/0000000000000000/muster.css", "/assets/x/..%2f..%2fhtml.py", "/assets/x/nothing.css"):
        assert (await service.http.get(address)).status_code == 404


async def test_a_page_runs_commands(service: Service) -> None:
    response = await service.http.post("/t/sign-in", data={"name": "Ada"})
    assert response.status_code == 200
    assert "Signed in" in response.text


@pytest.mark.parametrize(
    ("address", "content", "kind", "status"),
    [
        ("/t/sign-in", b"", "application/x-www-form-urlencoded", 422),
        ("/t/sign-in", b"name=", "application/x-www-form-urlencoded", 422),
        ("/t/sign-in", b"name=a&name=b", "application/x-www-form-urlencoded", 400),
        ("/t/sign-in", b"name=%ff", "application/x-www-form-urlencoded", 400),
        ("/t/sign-in", b"name=%00", "application/x-www-form-urlencoded", 400),
        ("/t/sign-in", b'{"name": "a"}', "application/json", 415),
        ("/t/sign-in", b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_bad_forms(address: str, content: bytes, kind: str, status: int, service: Service) -> None:
    response = await service.http.post(address, content=content, headers={"content-type": kind})
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")


async def test_a_fault_of_ours_is_a_page_without_its_text(service: Service) -> None:
    response = await service.http.get("/t/break")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.headers["x-request-id"] in response.text


async def test_development_pages_are_not_there_in_production(urls: Urls, declared: None) -> None:
    async with serving_in_process(urls) as service:
        assert (await service.http.get("/t/dev/hello")).status_code == 200
    async with serving_in_process(urls, MUSTER_ENV="production") as service:
        assert (await service.http.get("/t/dev/hello")).status_code == 404


def test_two_pages_cannot_share_an_address() -> None:
    with pytest.raises(TypeError, match="declared twice"):
        page("GET /t/break")


@pytest.mark.parametrize(
    ("browser", "language", "title"),
    [("de-AT,en;q=0.5", "de", "Da ist bei uns etwas schiefgegangen"), ("pl", "pl", "Coś poszło u nas nie tak")],
)
async def test_what_went_wrong_is_told_in_the_reader_s_language(
    service: Service, browser: str, language: str, title: str
) -> None:
    response = await service.http.get("/t/break", headers={"accept-language": browser})
    assert response.status_code == 500
    assert f'<html lang="{language}"' in response.text
    assert f"<h1>{title}</h1>" in response.text
    assert response.headers["x-request-id"] in response.text
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 414, 415, 422, 429, 431, 500, 503]
)
def test_every_refusal_has_a_page(status: int) -> None:
    refusal = AppError("This is what it says <here>.")
    refusal.status = status
    answer = problem_page(refusal, Request({"type": "http", "headers": [], "state": {"request_id": "r-17"}}))
    shown = bytes(answer.body).decode()
    assert answer.status_code == status
    assert re.search(r"<h1>\w.*</h1>", shown)
    assert '<p class="quiet" lang="en">This is what it says &lt;here&gt;.</p>' in shown
    assert "Request r-17" in shown
