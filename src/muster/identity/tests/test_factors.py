"""Second factors: codes of an app and backup codes, each good once, and no way around them."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pyotp
import pytest

from muster.identity.codes import totp_step
from muster.identity.tests.people import ANN, PASSWORD, mailed, register
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client, Way
from muster.testing.people import found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service, serving
from muster.testing.town import add_passkey

WRONG_CODE = "WRONG-CODE"
_LATER = "update sessions set proved_at = proved_at - interval '10 minutes 1 second'"


async def _login(service: Service) -> Answer:
    return await Client(service).call("login", email=ANN, password=PASSWORD)


async def _ann(service: Service) -> Client:
    await register(service)
    return Client(service, (await _login(service)).ok()["accessToken"])


def _code(secret: str, steps: int = 0) -> str:
    """What the app shows: now, or so many steps of 30 seconds from now."""
    return pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=steps)


async def _set_up(who: Client, way: Way = Way.REST) -> tuple[str, list[str]]:
    """An app of somebody, whose code of a minute ago was the last used; answers with its secret and the backup codes."""
    secret = (await who.call("enrolTotp", way=way)).ok()["secret"]
    codes: list[str] = (await who.call("confirmTotp", way=way, code=_code(secret))).ok()["codes"]
    await _forget_step(who.service)
    return secret, codes


async def _forget_step(service: Service) -> None:
    await change(service.urls, "update second_factors set totp_step = totp_step - 2")


async def _begin(service: Service) -> dict[str, Any]:
    """What the refusal says after the password."""
    refused = await _login(service)
    assert (refused.status, refused.code) == (401, "MFA_REQUIRED")
    found: dict[str, Any] = refused.problem
    return found


async def _finish(service: Service, token: str, code: str, way: Way = Way.REST) -> Answer:
    return await Client(service).call("completeLogin", way=way, mfaToken=token, code=code)


@pytest.mark.parametrize("way", Way)
async def test_an_app_is_set_up_and_asked_from_then_on(service: Service, way: Way) -> None:
    ann = await _ann(service)
    assert (await ann.call("confirmTotp", way=way, code="123456")).code == "TOTP_NOT_FOUND"
    begun = (await ann.call("enrolTotp", way=way)).ok()
    told = urlsplit(begun["uri"])
    assert (told.scheme, told.netloc, parse_qs(told.query)["secret"]) == ("otpauth", "totp", [begun["secret"]])
    assert begun["qr"].startswith("<svg")
    (await _login(service)).ok()
    assert (await ann.call("confirmTotp", way=way, code=WRONG_CODE)).code == "WRONG_CODE"
    codes = (await ann.call("confirmTotp", way=way, code=_code(begun["secret"]))).ok()["codes"]
    assert len(set(codes)) == 10
    assert (await ann.call("enrolTotp", way=way)).code == "TOTP_ON"
    asked = await _begin(service)
    assert asked["methods"] == ["TOTP", "BACKUP_CODE"]
    replayed = await _finish(service, asked["mfaToken"], _code(begun["secret"]), way)
    assert (replayed.status, replayed.code) == (422, "WRONG_CODE")
    session = (await _finish(service, asked["mfaToken"], _code(begun["secret"], 1), way)).ok()
    known = (await Client(service, session["accessToken"]).call("mySecondFactor", way=way)).ok()
    assert (known["totpSince"] is not None, known["backupCodesLeft"]) == (True, 10)


async def test_a_copy_of_the_database_holds_neither_the_secret_nor_a_backup_code(service: Service) -> None:
    secret, codes = await _set_up(await _ann(service))
    kept = str(await ask(service.urls, "select f::text, c::text from second_factors f, backup_codes c"))
    assert secret not in kept
    assert [each for each in codes if each in kept or each.replace("-", "") in kept] == []
    own = await value(service.urls, "select totp from second_factors")
    await sign_in(service, "Mallory")
    await change(
        service.urls,
        "insert into second_factors (id, totp, totp_since, totp_step, failures) "
        "select id, $1, now(), 0, 0 from users where name = 'Mallory'",
        own,
    )
    mallory = await sign_in(service, "Mallory")
    assert (await mallory.client.call("stepUp", code=_code(secret))).code == "WRONG_CODE"


async def test_of_one_code_that_comes_often_at_once_one_session_is_opened(service: Service) -> None:
    secret, codes = await _set_up(await _ann(service))
    for code in (_code(secret, 1), codes[0]):
        tokens = [(await _begin(service))["mfaToken"] for _ in range(4)]
        answers = await asyncio.gather(*(_finish(service, token, code) for token in tokens))
        assert sorted(str(each.code) for each in answers) == ["None"] + ["WRONG_CODE"] * 3
        await change(service.urls, "update second_factors set failures = 0")
    token = (await _begin(service))["mfaToken"]
    answers = await asyncio.gather(*(_finish(service, token, each) for each in codes[1:5]))
    assert sorted(str(each.code) for each in answers) == ["CHALLENGE_INVALID"] * 3 + ["None"]
    assert (await ask(service.urls, "select count(*) from backup_codes where used_at is not null")) == [(2,)]


async def test_the_token_of_the_first_half_is_good_for_nothing_else_and_not_for_ever(service: Service) -> None:
    secret, _ = await _set_up(await _ann(service))
    token = (await _begin(service))["mfaToken"]
    assert (await Client(service, token).call("me")).code == "UNAUTHENTICATED"
    for command, name in (("refreshSession", "refreshToken"), ("resetPassword", "token"), ("verifyEmail", "token")):
        given: dict[str, Any] = {name: token}
        if command == "resetPassword":
            given["password"] = "a brand new password"
        refused = await Client(service).call(command, **given)
        assert str(refused.code) in ("REFRESH_TOKEN_INVALID", "LINK_INVALID")
    challenge = (await Client(service).call("challengePasskey")).ok()["token"]
    assert (await _finish(service, challenge, _code(secret))).code == "CHALLENGE_INVALID"
    await change(service.urls, "update challenges set expires_at = expires_at - interval '5 minutes'")
    assert (await _finish(service, token, _code(secret))).code == "CHALLENGE_INVALID"
    voided = (await _begin(service))["mfaToken"]
    (await Client(service).call("forgotPassword", email=ANN)).ok()
    (link,) = await mailed(service, "identity.reset")
    (await Client(service).call("resetPassword", token=link, password="a brand new password")).ok()
    assert (await _finish(service, voided, _code(secret))).code == "CHALLENGE_INVALID"
    again = await Client(service).call("login", email=ANN, password="a brand new password")
    assert again.code == "MFA_REQUIRED"


async def test_five_wrong_codes_lock_and_nothing_a_client_sends_takes_them_back(service: Service) -> None:
    secret, codes = await _set_up(await _ann(service))
    tokens = [(await _begin(service))["mfaToken"] for _ in range(8)]
    answers = await asyncio.gather(*(_finish(service, each, WRONG_CODE) for each in tokens))
    assert sorted(str(each.code) for each in answers) == ["CODES_LOCKED"] * 3 + ["WRONG_CODE"] * 5
    # The right password, another begin, an unlocking or a new password do not help.
    token = (await _begin(service))["mfaToken"]
    for code in (_code(secret, 1), codes[0]):
        locked = await _finish(service, token, code)
        assert (locked.status, locked.code) == (429, "CODES_LOCKED")
    assert await ask(service.urls, "select failures from second_factors") == [(5,)]
    assert await value(service.urls, "select count(*) from facts where kind = 'user.codes_locked'") == 1
    await change(service.urls, "update second_factors set failed_at = failed_at - interval '15 minutes'")
    (await _finish(service, token, _code(secret, 1))).ok()
    assert await ask(service.urls, "select failures from second_factors") == [(0,)]


async def test_a_backup_code_is_typed_as_people_type_and_fresh_ones_replace_it(service: Service) -> None:
    ann = await _ann(service)
    _, codes = await _set_up(ann)
    typed = codes[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    (await _finish(service, (await _begin(service))["mfaToken"], typed)).ok()
    assert (await ann.call("mySecondFactor")).ok()["backupCodesLeft"] == 9
    assert (await ann.call("stepUp", code=codes[1])).code == "WRONG_CODE"
    fresh = (await ann.call("renewBackupCodes")).ok()["codes"]
    token = (await _begin(service))["mfaToken"]
    assert (await _finish(service, token, codes[1])).code == "WRONG_CODE"
    (await _finish(service, token, fresh[0])).ok()


@pytest.mark.parametrize("way", Way)
async def test_a_factor_is_removed_and_its_codes_with_it(service: Service, way: Way) -> None:
    ann = await _ann(service)
    assert (await ann.call("removeTotp", way=way)).code == "TOTP_NOT_FOUND"
    assert (await ann.call("renewBackupCodes", way=way)).code == "NO_SECOND_FACTOR"
    await _set_up(ann, way)
    assert (await ann.call("removeTotp", way=way)).ok() is True
    assert await value(service.urls, "select count(*) from backup_codes") == 0
    (await _login(service)).ok()


async def test_a_found_laptop_changes_no_factor(service: Service) -> None:
    ann = await _ann(service)
    secret, _ = await _set_up(ann)
    await change(service.urls, _LATER)
    for command in ("enrolTotp", "removeTotp", "renewBackupCodes", "enrolPasskey"):
        refused = await ann.call(command)
        assert (refused.status, refused.code) == (403, "STEP_UP_REQUIRED")
        assert refused.problem["methods"] == ["PASSWORD", "TOTP"]
    both: dict[str, Any] = {"password": PASSWORD, "code": _code(secret, 1)}
    for wrong in ({}, both):
        assert (await ann.call("stepUp", **wrong)).status == 422
    assert (await ann.call("removeTotp")).code == "STEP_UP_REQUIRED"
    (await ann.call("stepUp", code=_code(secret, 1))).ok()
    (await ann.call("removeTotp")).ok()


async def test_a_community_can_ask_its_members_for_a_second_factor(service: Service) -> None:
    ann = await _ann(service)
    owner = await sign_in(service, "Olga")
    tenant_id = await found_tenant(owner, "strict-town")
    ann_id = UUID((await ann.call("me")).ok()["id"])
    (await owner.client.in_tenant(tenant_id).call("updateTenant", input={"requiresMfa": True})).ok()
    inside = ann.in_tenant(tenant_id)
    await put_in_tenant(service, type(owner)(ann_id, "Ann", inside), tenant_id)
    for name in ("events", "myNotifications"):
        refused = await inside.call(name)
        assert (refused.status, refused.code) == (403, "MFA_REQUIRED")
    (await inside.call("me")).ok()
    (await ann.call("events")).ok()
    await _set_up(inside)
    (await inside.call("events")).ok()
    refused = await inside.call("removeTotp")
    assert (refused.status, refused.code) == (409, "LAST_FACTOR")
    assert (await ann.call("removeTotp")).code == "LAST_FACTOR"
    await add_passkey(ann, "A phone")
    passkey = (await ann.call("myPasskeys")).ok()["items"][0]
    answers = await asyncio.gather(ann.call("removeTotp"), ann.call("removePasskey", id=passkey["id"]))
    assert sorted(str(each.code) for each in answers) == ["LAST_FACTOR", "None"]
    (await inside.call("events")).ok()


async def test_factors_outlive_a_change_of_the_deployment_s_secret(service: Service) -> None:
    secret, codes = await _set_up(await _ann(service))
    new, old = "y" * 32, service.settings.security.jwt_secret
    async with serving(service.urls, JWT_SECRET=new, JWT_SECRET_ALSO=old) as changing:
        (await _finish(changing, (await _begin(changing))["mfaToken"], _code(secret))).ok()
        (await _finish(changing, (await _begin(changing))["mfaToken"], codes[0])).ok()
    async with serving(service.urls, JWT_SECRET=new) as changed:
        (await _finish(changed, (await _begin(changed))["mfaToken"], _code(secret, 1))).ok()


@pytest.mark.parametrize(
    ("offset", "after", "expected"), [(0, -9, 0), (-1, -9, -1), (1, -9, 1), (2, -9, None), (-2, -9, None), (0, 0, None)]
)
def test_a_code_is_good_half_a_minute_early_and_late_and_never_again(
    offset: int, after: int, expected: int | None
) -> None:
    secret, now = pyotp.random_base32(), datetime(2026, 1, 1, 12, tzinfo=UTC)
    totp = pyotp.TOTP(secret)
    present = totp.timecode(now)
    found = totp_step(secret, totp.at(now, counter_offset=offset), now, after=present + after)
    assert found == (None if expected is None else present + expected)
