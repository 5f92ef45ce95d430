"""Passkeys in a real browser, whose authenticator is a virtual one: what it makes and signs is what we ask and accept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from selenium import webdriver

from muster.kit.db.migrate import Urls
from muster.testing.below import change
from muster.testing.client import Client
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service, serving

_CREATE = """
const done = arguments[1];
const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(arguments[0]));
navigator.credentials.create({publicKey}).then(made => done(JSON.stringify(made)), failed => done(failed.name));
"""
_GET = """
const done = arguments[1];
const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(arguments[0]));
navigator.credentials.get({publicKey}).then(found => done(JSON.stringify(found)), failed => done(failed.name));
"""
# A phone or laptop that unlocks by finger, and keeps whose its keys are.
_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Device:
    """A browser on a page of ours, with an authenticator."""

    driver: webdriver.Chrome
    authenticator: str

    async def create(self, options: str) -> str:
        """What the browser makes; the name of the error where it does not."""
        return await asyncio.to_thread(self.driver.execute_async_script, _CREATE, options)

    async def get(self, options: str) -> str:
        """What the browser answers; the name of the error where it does not."""
        return await asyncio.to_thread(self.driver.execute_async_script, _GET, options)

    async def is_unlocked(self, unlocked: bool) -> None:
        """Let the authenticator find that it is its person, or not."""
        asked = {"authenticatorId": self.authenticator, "isUserVerified": unlocked}
        await asyncio.to_thread(self.driver.execute_cdp_cmd, "WebAuthn.setUserVerified", asked)


@pytest.fixture
async def service(urls: Urls, free_port: int) -> AsyncIterator[Service]:
    """The application where browsers let pages ask for passkeys: at a name, not at a number."""
    async with serving(urls, PORT=str(free_port)) as service:
        yield service


@pytest.fixture
async def device(browser: webdriver.Chrome, service: Service) -> AsyncIterator[Device]:
    def opened() -> str:
        browser.get(service.settings.addresses.app)
        browser.execute_cdp_cmd("WebAuthn.enable", {})
        made = browser.execute_cdp_cmd("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})
        return str(made["authenticatorId"])

    authenticator = await asyncio.to_thread(opened)
    yield Device(browser, authenticator)
    await asyncio.to_thread(browser.execute_cdp_cmd, "WebAuthn.disable", {})


async def _added(person: Person, device: Device) -> dict[str, Any]:
    begun = (await person.client.call("enrolPasskey")).ok()
    credential = await device.create(begun["options"])
    made = await person.client.call("addPasskey", name="This browser", token=begun["token"], credential=credential)
    found: dict[str, Any] = made.ok()
    return found


async def test_a_browser_makes_a_passkey_and_signs_in_with_it_without_a_name(service: Service, device: Device) -> None:
    ann = await sign_in(service, "Ann")
    await _added(ann, device)
    for _ in range(2):
        begun = (await Client(service).call("challengePasskey")).ok()
        answer = {"token": begun["token"], "credential": await device.get(begun["options"])}
        session = (await Client(service).call("loginWithPasskey", passkey=answer)).ok()
        assert session["user"]["id"] == str(ann.user_id)


async def test_a_browser_makes_no_second_passkey_for_one_account(service: Service, device: Device) -> None:
    ann = await sign_in(service, "Ann")
    await _added(ann, device)
    again = (await ann.client.call("enrolPasskey")).ok()
    assert await device.create(again["options"]) == "InvalidStateError"


async def test_a_browser_proves_who_is_there_and_only_when_it_is_unlocked(service: Service, device: Device) -> None:
    ann = await sign_in(service, "Ann")
    await _added(ann, device)
    await change(service.urls, "update sessions set proved_at = null")
    assert (await ann.client.call("enrolTotp")).code == "STEP_UP_REQUIRED"
    begun = (await ann.client.call("challengeStepUp")).ok()
    await device.is_unlocked(False)
    assert await device.get(begun["options"]) == "NotAllowedError"
    await device.is_unlocked(True)
    answer = {"token": begun["token"], "credential": await device.get(begun["options"])}
    (await ann.client.call("stepUp", passkey=answer)).ok()
    (await ann.client.call("enrolTotp")).ok()
