"""The pages where people show once more who they are: without a script, for nobody else, and for no other site."""

import re

from muster.identity.tests.people import ANN, PASSWORD, register
from muster.testing.below import change, value
from muster.testing.serving import Service

_IS_PROVED = "select proved_at is not null from sessions"


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
