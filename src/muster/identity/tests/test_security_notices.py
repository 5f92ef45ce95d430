"""What people are told when what guards their account changes: each thing once, in their language."""

import pyotp
import pytest

from muster.identity.tests.people import ANN, PASSWORD, register
from muster.kit.words import LANGUAGES
from muster.testing.below import ask, change
from muster.testing.client import Client
from muster.testing.serving import Service
from muster.testing.town import add_passkey
from muster.testing.work import drain


async def _told(service: Service) -> list[str]:
    await drain(service.urls)
    found = await ask(service.urls, "select kind from mails where address = $1 order by created_at, kind", ANN)
    return [kind.removeprefix("identity.") for (kind,) in found]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_change_of_what_guards_an_account_is_told(service: Service, language: str) -> None:
    await register(service)
    await change(service.urls, "update users set locale = $1", language)
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    ann = Client(service, session["accessToken"])
    secret = (await ann.call("enrolTotp")).ok()["secret"]
    code = pyotp.TOTP(secret).now()
    (await ann.call("confirmTotp", code=code)).ok()
    codes = (await ann.call("renewBackupCodes")).ok()["codes"]
    token = (await Client(service).call("login", email=ANN, password=PASSWORD)).problem["mfaToken"]
    (await Client(service).call("completeLogin", mfaToken=token, code=codes[0])).ok()
    for _ in range(5):
        await ann.call("stepUp", code="WRONG")
    await add_passkey(ann, "A phone")
    (passkey,) = (await ann.call("myPasskeys")).ok()["items"]
    (await ann.call("removePasskey", id=passkey["id"])).ok()
    (await ann.call("removeTotp")).ok()
    assert sorted(await _told(service)) == [
        "code_used",
        "codes_locked",
        "codes_renewed",
        "passkey_added",
        "passkey_removed",
        "totp_added",
        "totp_removed",
    ]
    shown = (await service.http.get("/dev/mail.json", params={"to": ANN})).json()
    assert any(": 9" in str(each) for each in shown)
    assert not any(secret in str(each) or codes[1] in str(each) for each in shown)
