"""Signing in a device by code: its person sees what asks and decides once, and nobody gets in without that."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster.identity.devices.rules import Poll, decide_poll, new_code, plain_code
from muster.identity.devices.tables import DeviceState
from muster.identity.tests.people import ANN, PASSWORD, mailed, register, sessions
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client, Way
from muster.testing.people import sign_in
from muster.testing.serving import Service

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = "update device_requests set polled_at = polled_at - interval '1 minute'"


@pytest.mark.parametrize(
    ("state", "asked_ago", "left", "told"),
    [
        (DeviceState.WAITING, None, 600, Poll.WAIT),
        (DeviceState.WAITING, 5, 600, Poll.WAIT),
        (DeviceState.WAITING, 4.9, 600, Poll.SLOW_DOWN),
        (DeviceState.APPROVED, 4.9, 600, Poll.SLOW_DOWN),
        (DeviceState.APPROVED, 5, 600, Poll.SIGN_IN),
        (DeviceState.APPROVED, 5, 0, Poll.EXPIRED),
        (DeviceState.USED, None, 600, Poll.EXPIRED),
        (DeviceState.DENIED, None, 600, Poll.DENIED),
        (DeviceState.WAITING, None, 0, Poll.EXPIRED),
    ],
)
def test_what_a_device_is_told(state: DeviceState, asked_ago: float | None, left: float, told: Poll) -> None:
    polled_at = None if asked_ago is None else NOW - timedelta(seconds=asked_ago)
    expires_at = NOW + timedelta(seconds=left)
    assert decide_poll(state, polled_at=polled_at, pause=5, expires_at=expires_at, now=NOW) is told


def test_a_code_is_typed_as_people_type() -> None:
    code = new_code()
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", code)
    assert {plain_code(each) for each in (code, code.lower(), f" {code[:4]} {code[5:]} ")} == {code.replace("-", "")}
    assert len({new_code() for _ in range(1000)}) == 1000


async def _begin(service: Service, way: Way = Way.REST) -> dict[str, Any]:
    found: dict[str, Any] = (await Client(service).call("beginDeviceSignIn", way=way, name="muster on a laptop")).ok()
    return found


async def _poll(service: Service, begun: dict[str, Any], way: Way = Way.REST) -> Answer:
    return await Client(service).call("pollDeviceSignIn", way=way, deviceCode=begun["deviceCode"])


@pytest.mark.parametrize("way", Way)
async def test_a_device_is_let_in_by_its_person(service: Service, way: Way) -> None:
    ann = await sign_in(service, "ann")
    begun = await _begin(service, way)
    assert begun["verificationUriComplete"] == f"{service.settings.addresses.app}/device?code={begun['userCode']}"
    assert (await _poll(service, begun, way)).code == "AUTHORIZATION_PENDING"
    too_soon = await _poll(service, begun, way)
    assert (too_soon.status, too_soon.code, too_soon.problem["interval"]) == (429, "SLOW_DOWN", 10)
    seen = (await ann.client.call("lookUpDevice", way=way, userCode=begun["userCode"].lower())).ok()
    assert seen["name"] == "muster on a laptop"
    decision = {"userCode": begun["userCode"], "approve": True}
    assert (await ann.client.call("decideDevice", way=way, **decision)).ok() is True
    assert (await ann.client.call("decideDevice", way=way, **decision)).code == "DEVICE_NOT_FOUND"
    await change(service.urls, LATER)
    polled = await asyncio.gather(*(_poll(service, begun, way) for _ in range(5)))
    (session,) = [each.data for each in polled if each.code is None]
    assert {each.code for each in polled} == {None, "DEVICE_CODE_EXPIRED"}
    assert (await Client(service, session["accessToken"]).call("me")).ok()["id"] == str(ann.user_id)


@pytest.mark.parametrize("way", Way)
async def test_a_device_that_is_turned_away_stays_out(service: Service, way: Way) -> None:
    ann = await sign_in(service, "ann")
    begun = await _begin(service, way)
    (await ann.client.call("decideDevice", way=way, userCode=begun["userCode"], approve=False)).ok()
    assert (await _poll(service, begun, way)).code == "DEVICE_DENIED"
    assert (await ann.client.call("decideDevice", userCode=begun["userCode"], approve=True)).code == "DEVICE_NOT_FOUND"
    assert await sessions(service) == 1


async def test_a_code_is_good_for_ten_minutes(service: Service) -> None:
    ann = await sign_in(service, "ann")
    begun = await _begin(service)
    lasts = "select extract(minute from expires_at - created_at)::int from device_requests"
    assert await value(service.urls, lasts) == 10
    await change(service.urls, "update device_requests set expires_at = now()")
    assert (await ann.client.call("decideDevice", userCode=begun["userCode"], approve=True)).code == "DEVICE_NOT_FOUND"
    assert (await _poll(service, begun)).code == "DEVICE_CODE_EXPIRED"


async def test_of_many_who_decide_at_once_one_does(service: Service) -> None:
    people = [await sign_in(service, name) for name in ("ann", "bob", "cyd")]
    begun = await _begin(service)
    decided = await asyncio.gather(
        *(each.client.call("decideDevice", userCode=begun["userCode"], approve=True) for each in people)
    )
    assert [each.code for each in decided].count(None) == 1
    (row,) = await ask(service.urls, "select user_id from device_requests")
    assert [str(each.user_id) for each, done in zip(people, decided, strict=True) if done.code is None] == [str(row[0])]


async def test_neither_code_can_be_made_from_what_is_stored(service: Service) -> None:
    begun = await _begin(service)
    stored = " ".join(str(row) for row in await ask(service.urls, "select d::text from device_requests d"))
    assert begun["deviceCode"].rpartition(".")[2] not in stored
    assert plain_code(begun["userCode"]) not in stored
    (request_id,) = await ask(service.urls, "select replace(id::text, '-', '') from device_requests")
    for forged in (request_id[0], f"{request_id[0]}.", begun["userCode"], begun["deviceCode"][:-1]):
        refused = await Client(service).call("pollDeviceSignIn", deviceCode=forged)
        assert refused.code == "DEVICE_CODE_EXPIRED", forged


async def test_a_person_decides_on_a_page(service: Service) -> None:
    await register(service)
    begun = await _begin(service)
    address = begun["verificationUriComplete"].removeprefix(service.settings.addresses.app)
    stranger = await service.http.get(address)
    assert stranger.status_code == 303
    there = stranger.headers["location"]
    page = await service.http.get(there)
    form = dict(re.findall(r'name="(returnTo)" value="([^"]*)"', page.text))
    done = await service.http.post("/sign-in", data={**form, "email": ANN, "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, address)
    shown = await service.http.get(address)
    assert "muster on a laptop" in shown.text
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown.text)) | {"decision": "approve"}
    forged = await service.http.post("/device", data={**form, "csrf": "0" * 64})
    assert (forged.status_code, await value(service.urls, "select state from device_requests")) == (403, "WAITING")
    assert "It is signed in" in (await service.http.post("/device", data=form)).text
    assert (await _poll(service, begun)).ok()["user"]["name"] == "Ann"


async def test_the_page_asks_for_the_code_and_tells_nothing_of_others(service: Service) -> None:
    await register(service)
    await service.http.post("/sign-in", data={"email": ANN, "password": PASSWORD})
    assert 'name="code"' in (await service.http.get("/device")).text
    unknown = await service.http.get("/device", params={"code": "BCDF-BCDF"})
    assert (unknown.status_code, 'role="alert"' in unknown.text) == (404, True)


@pytest.mark.parametrize("ending", ["logoutEverywhere", "revokeSession", "resetPassword", "a token used again"])
async def test_a_device_let_in_by_a_stolen_session_gets_none_once_sessions_are_ended(
    service: Service, ending: str
) -> None:
    await register(service)
    owner, thief = [(await Client(service).call("login", email=ANN, password=PASSWORD)).ok() for _ in range(2)]
    begun = await _begin(service)
    stolen = Client(service, thief["accessToken"])
    (await stolen.call("decideDevice", userCode=begun["userCode"], approve=True)).ok()
    if ending == "a token used again":
        await change(service.urls, "update sessions set generation = 1, refreshed_at = now() - interval '1 minute'")
        assert (await stolen.call("refreshSession", refreshToken=thief["refreshToken"])).code == "REFRESH_TOKEN_REUSED"
    elif ending == "resetPassword":
        (await Client(service).call("forgotPassword", email=ANN)).ok()
        (token,) = await mailed(service, "identity.reset")
        (await Client(service).call("resetPassword", token=token, password="another hat for a horse")).ok()
    else:
        latest = await value(service.urls, "select id from sessions order by created_at desc limit 1")
        which = {"id": latest} if ending == "revokeSession" else {}
        (await Client(service, owner["accessToken"]).call(ending, **which)).ok()
    refused = await _poll(service, begun)
    assert (refused.status, refused.code) == (403, "DEVICE_DENIED")
    assert await value(service.urls, "select count(*) from sessions") == 2


async def test_the_session_of_a_device_has_proved_nothing(service: Service) -> None:
    await register(service)
    ann = Client(service, (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()["accessToken"])
    begun = await _begin(service)
    (await ann.call("decideDevice", userCode=begun["userCode"], approve=True)).ok()
    device = Client(service, (await _poll(service, begun)).ok()["accessToken"])
    assert (await device.call("requestExport")).code == "STEP_UP_REQUIRED"
    assert (await ann.call("requestExport")).code is None
