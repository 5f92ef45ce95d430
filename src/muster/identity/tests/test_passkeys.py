"""Passkeys, with an authenticator in software: adding, signing in, proving, and what is refused."""

import asyncio
import json
from typing import Any

import pytest

from muster.identity.tests.people import ANN, PASSWORD, register
from muster.testing.authenticator import Authenticator, base64url, from_base64url
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client, Way
from muster.testing.people import sign_in
from muster.testing.serving import Service
from muster.testing.town import add_passkey

_LATER = "update sessions set proved_at = proved_at - interval '10 minutes 1 second'"


async def _ann(service: Service) -> Client:
    await register(service)
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    return Client(service, session["accessToken"])


async def _challenge(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = (await Client(service).call("challengePasskey")).ok()
    return found


async def _sign_in(service: Service, device: Authenticator, way: Way = Way.REST) -> Answer:
    begun = await _challenge(service)
    return await _present(service, begun["token"], device.get(begun["options"]), way)


async def _present(service: Service, token: str, credential: str, way: Way = Way.REST) -> Answer:
    answer = {"token": token, "credential": credential}
    return await Client(service).call("loginWithPasskey", way=way, passkey=answer)


@pytest.mark.parametrize("way", Way)
async def test_a_passkey_is_added_renamed_used_and_removed(service: Service, way: Way) -> None:
    ann = await _ann(service)
    device = await add_passkey(ann, "A phone")
    (passkey,) = (await ann.call("myPasskeys", way=way)).ok()["items"]
    assert (passkey["name"], passkey["usedAt"]) == ("A phone", None)
    (await ann.call("renamePasskey", way=way, id=passkey["id"], name="My phone")).ok()
    session = (await _sign_in(service, device, way)).ok()
    known = Client(service, session["accessToken"])
    shown = (await known.call("myPasskey", way=way, id=passkey["id"])).ok()
    assert (shown["name"], shown["usedAt"] is not None) == ("My phone", True)
    (await known.call("enrolTotp")).ok()
    assert (await ann.call("removePasskey", way=way, id=passkey["id"])).ok() is True
    assert (await _sign_in(service, device, way)).code == "PASSKEY_REFUSED"


async def test_after_a_password_a_passkey_is_asked_for_and_only_one_of_that_account_will_do(service: Service) -> None:
    ann, bob = await _ann(service), await sign_in(service, "Bob")
    device, other = await add_passkey(ann, "A phone"), await add_passkey(bob.client, "Bob's phone")
    refused = await Client(service).call("login", email=ANN, password=PASSWORD)
    assert (refused.code, refused.problem["methods"]) == ("MFA_REQUIRED", ["PASSKEY"])
    for held, expected in ((other, "PASSKEY_REFUSED"), (device, None)):
        begun = await _challenge(service)
        answer = {"token": begun["token"], "credential": held.get(begun["options"])}
        told = await Client(service).call("completeLogin", mfaToken=refused.problem["mfaToken"], passkey=answer)
        assert told.code == expected


async def test_a_passkey_proves_who_is_there_in_the_session_that_asked(service: Service) -> None:
    ann, bob = await _ann(service), await sign_in(service, "Bob")
    device = await add_passkey(ann, "A phone")
    elsewhere = Client(service, (await _sign_in(service, device)).ok()["accessToken"])
    await change(service.urls, _LATER)
    begun = (await ann.call("challengeStepUp")).ok()
    allowed = json.loads(begun["options"])["allowCredentials"]
    assert [each["id"] for each in allowed] == list(device.keys)
    answer = {"token": begun["token"], "credential": device.get(begun["options"])}
    for other in (elsewhere, bob.client):
        assert (await other.call("stepUp", passkey=answer)).code == "CHALLENGE_INVALID"
    (await ann.call("stepUp", passkey=answer)).ok()
    (await ann.call("enrolTotp")).ok()
    assert (await elsewhere.call("enrolTotp")).code == "STEP_UP_REQUIRED"


async def test_a_challenge_is_good_once_for_its_purpose_and_for_five_minutes(service: Service) -> None:
    ann = await _ann(service)
    device = await add_passkey(ann, "A phone")
    begun = await _challenge(service)
    credential = device.get(begun["options"])
    answers = await asyncio.gather(*(_present(service, begun["token"], credential) for _ in range(5)))
    assert sorted(str(each.code) for each in answers) == ["CHALLENGE_INVALID"] * 4 + ["None"]
    step_up = (await ann.call("challengeStepUp")).ok()
    assert (await _present(service, step_up["token"], device.get(step_up["options"]))).code == "CHALLENGE_INVALID"
    fresh = await _challenge(service)
    # What one challenge was signed for is no answer to another.
    assert (await _present(service, fresh["token"], credential)).code == "PASSKEY_REFUSED"
    await change(service.urls, "update challenges set expires_at = expires_at - interval '5 minutes'")
    assert (await _present(service, fresh["token"], device.get(fresh["options"]))).code == "CHALLENGE_INVALID"


async def test_a_copied_passkey_gives_itself_away_by_its_count(service: Service) -> None:
    device = await add_passkey(await _ann(service), "A phone")
    for _ in range(3):
        (await _sign_in(service, device)).ok()
    next(iter(device.keys.values())).count = 1
    assert (await _sign_in(service, device)).code == "PASSKEY_REFUSED"
    assert await value(service.urls, "select sign_count from passkeys") == 3
    assert await value(service.urls, "select count(*) from audit_rows where outcome = 'PASSKEY_REFUSED'") == 1


async def test_many_devices_do_not_count_and_that_is_fine(service: Service) -> None:
    device = await add_passkey(await _ann(service), "A phone")
    device.counts = False
    for _ in range(2):
        (await _sign_in(service, device)).ok()


@pytest.mark.parametrize("wrong", ["another page", "nobody verified", "another's handle", "a forged signature"])
async def test_an_answer_that_is_not_good_is_refused(service: Service, wrong: str) -> None:
    device = await add_passkey(await _ann(service), "A phone")
    begun = await _challenge(service)
    if wrong == "another page":
        device.origin = "https://muster.example.evil"
    if wrong == "nobody verified":
        device.verifies = False
    told = json.loads(device.get(begun["options"]))
    if wrong == "another's handle":
        told["response"]["userHandle"] = base64url(bytes(16))
    if wrong == "a forged signature":
        forged = bytearray(from_base64url(told["response"]["signature"]))
        forged[-1] ^= 1
        told["response"]["signature"] = base64url(bytes(forged))
    refused = await _present(service, begun["token"], json.dumps(told))
    assert (refused.status, refused.code) == (422, "PASSKEY_REFUSED")
    assert await ask(service.urls, "select sign_count, used_at from passkeys") == [(0, None)]


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"id": 1, "response": {}}',
        '{"id": "\\u0000", "response": {}}',
        '{"id": "x", "response": {"userHandle": "\\u0000"}}',
        '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {"clientDataJSON": "", "attestationObject": "oA"}}',
        "[" * 5000,
    ],
)
async def test_what_no_browser_sends_is_refused_as_such(service: Service, credential: str) -> None:
    ann = await sign_in(service, "Ann")
    enrolment = (await ann.client.call("enrolPasskey")).ok()
    added = await ann.client.call("addPasskey", name="A phone", token=enrolment["token"], credential=credential)
    begun = await _challenge(service)
    for refused in (added, await _present(service, begun["token"], credential)):
        assert (refused.status, refused.code) == (422, "PASSKEY_REFUSED")


async def test_one_credential_is_one_account_s_and_nobody_has_too_many(service: Service) -> None:
    ann, bob = await sign_in(service, "Ann"), await sign_in(service, "Bob")
    begun = [(await each.client.call("enrolPasskey")).ok() for each in (ann, bob)]
    device = Authenticator(service.settings.addresses.app)
    made = json.loads(device.create(begun[0]["options"]))
    client_data = json.loads(from_base64url(made["response"]["clientDataJSON"]))
    challenge = json.loads(begun[1]["options"])["challenge"]
    moved = base64url(json.dumps({**client_data, "challenge": challenge}).encode())
    copied = {**made, "response": {**made["response"], "clientDataJSON": moved}}
    answers = await asyncio.gather(
        ann.client.call("addPasskey", name="Mine", token=begun[0]["token"], credential=json.dumps(made)),
        bob.client.call("addPasskey", name="Mine", token=begun[1]["token"], credential=json.dumps(copied)),
    )
    assert sorted(str(each.code) for each in answers) == ["None", "PASSKEY_KNOWN"]
    await change(
        service.urls,
        "insert into passkeys (id, user_id, credential, public_key, sign_count, name, created_at) "
        "select gen_random_uuid(), $1, gen_random_uuid(), '', 0, 'P', now() from generate_series(1, 20)",
        ann.user_id,
    )
    assert (await ann.client.call("enrolPasskey")).code == "TOO_MANY_PASSKEYS"


async def test_somebody_else_s_passkey_is_not_there(service: Service) -> None:
    ann, bob = await sign_in(service, "Ann"), await sign_in(service, "Bob")
    await add_passkey(ann.client, "A phone")
    (passkey,) = (await ann.client.call("myPasskeys")).ok()["items"]
    assert (await bob.client.call("myPasskey", id=passkey["id"])).missing
    refused = [await bob.client.call("renamePasskey", id=passkey["id"], name="Mine")]
    refused.append(await bob.client.call("removePasskey", id=passkey["id"]))
    assert [each.code for each in refused] == ["PASSKEY_NOT_FOUND"] * 2
    assert (await bob.client.call("myPasskeys")).ok()["items"] == []
