"""The pages where people show once more who they are: without a script, for nobody else, and for no other site."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.responses import Response

from muster.identity.tests.people import ANN, PASSWORD, register
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.pages.page import PAGES, Visit, page
from muster.testing.below import change, value
from muster.testing.serving import Service, serving_in_process

_IS_PROVED = "select proved_at is not null from sessions"


async def _guarded(visit: Visit) -> Response:
    if visit.request.method == "POST":
        await visit.run("requestExport")
    return visit.lead("/done")


@pytest.fixture
def declared() -> Iterator[None]:
    """A page of this test's own, whose form asks for a proof."""
    before = dict(PAGES)
    page("GET /t/guarded", personal=True)(_guarded)
    page("POST /t/guarded", personal=True)(_guarded)
    page("POST /t/open")(_guarded)
    yield
    PAGES.clear()
    PAGES.update(before)


@pytest.fixture
async def guarded(urls: Urls, declared: None) -> AsyncIterator[Service]:
    """The application with that page."""
    async with serving_in_process(urls) as service:
        yield service


async def test_a_page_whose_form_asks_for_a_proof_leads_to_it_and_back(guarded: Service) -> None:
    await register(guarded)
    await guarded.http.post("/sign-in", data={"email": ANN, "password": PASSWORD})
    await change(guarded.urls, "update sessions set proved_at = null")
    shown = await guarded.http.get("/step-up")
    csrf = re.findall(r'name="csrf" value="([^"]*)"', shown.text)[0]
    led = await guarded.http.post("/t/guarded?of=a%26b", data={"csrf": csrf})
    assert (led.status_code, led.headers["location"]) == (303, "/step-up?returnTo=%2Ft%2Fguarded%3Fof%3Da%2526b")
    assert await value(guarded.urls, "select count(*) from exports") == 0
    asked = await guarded.http.get(led.headers["location"])
    fields = dict(re.findall(r'name="(csrf|returnTo)" value="([^"]*)"', asked.text))
    back = await guarded.http.post("/step-up", data={**fields, "password": PASSWORD})
    assert (back.status_code, back.headers["location"]) == (303, "/t/guarded?of=a%26b")
    done = await guarded.http.post(back.headers["location"], data={"csrf": csrf})
    assert (done.headers["location"], await value(guarded.urls, "select count(*) from exports")) == ("/done", 1)
    # A page that acts for nobody signed in has nobody to ask.
    assert (await guarded.http.post("/t/open", data={"csrf": csrf})).status_code == 401


async def test_a_person_shows_on_a_page_who_they_are(service: Service) -> None:
    await register(service)
    stranger = await service.http.get("/step-up", params={"returnTo": "/device?code=BCDF"})
    assert stranger.headers["location"] == "/sign-in?returnTo=%2Fdevice%3Fcode%3DBCDF"
    await service.http.post("/sign-in", data={"email": ANN, "password": PASSWORD})
    await change(service.urls, "update sessions set proved_at = null")
    shown = await service.http.get("/step-up", params={"returnTo": "/device?code=BCDF"})
    assert "<script" not in shown.text
    form = dict(re.findall(r'name="(csrf|returnTo)" value="([^"]*)"', shown.text))
    for sent, status in (({"password": "not hers at all"}, 422), ({"code": "123456"}, 422), ({}, 422)):
        wrong = await service.http.post("/step-up", data={**form, **sent})
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (status, True), sent
    forged = await service.http.post("/step-up", data={**form, "csrf": "0" * 64, "password": PASSWORD})
    assert (forged.status_code, await value(service.urls, _IS_PROVED)) == (403, False)
    done = await service.http.post("/step-up", data={**form, "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, "/device?code=BCDF")
    assert await value(service.urls, _IS_PROVED)
    elsewhere = await service.http.post("/step-up", data={**form, "returnTo": "//evil.example", "password": PASSWORD})
    assert elsewhere.headers["location"] == "/"
    anywhere = await service.http.post("/step-up", data={**form, "returnTo": "/u/łódź?of=ż%20é", "password": PASSWORD})
    assert anywhere.headers["location"] == "/u/%C5%82%C3%B3d%C5%BA?of=%C5%BC%20%C3%A9"
