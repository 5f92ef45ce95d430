"""Step-up: what must not fall to whoever finds an open laptop asks for a proof of the last ten minutes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from muster.access.gate import GATE
from muster.identity.commands import token_keys
from muster.identity.tests.people import ANN, PASSWORD, register
from muster.kit.caller import Claim, Origin, StepUpRequired, anyone, signed_in
from muster.kit.commands.command import COMMANDS, command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.run import run_command
from muster.kit.db.database import Database
from muster.kit.limits import API
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client, Way
from muster.testing.serving import Service

WRONG = "wrong horse battery"
_LATER = "update sessions set proved_at = proved_at - interval '10 minutes 1 second'"


async def _guarded(ctx: Ctx) -> None:
    """Do what asks for a proof."""


command("POST /guarded", "guarded", allow=signed_in, limit=API, step_up=True)(_guarded)
GUARDED = COMMANDS.pop("guarded")


@pytest.fixture
async def services(service: Service) -> AsyncIterator[Services]:
    database = await Database.open(service.urls.app, size=2)
    yield Services(database, service.settings, GATE, lambda: None)
    await database.close()


async def _ann(service: Service) -> Client:
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    return Client(service, session["accessToken"])


async def _try(services: Services, who: Client) -> None:
    assert who.token is not None
    now = datetime.now(UTC)
    identity = token_keys(services.settings.security).read(who.token, now)
    assert identity is not None
    tenant_id = await value(who.service.urls, "select id from tenants where is_default")
    claim = Claim(tenant_id, identity.user_id, identity.session_id)
    await run_command(services, GUARDED, Origin(claim, now, "test"), {})


async def _step_up(who: Client, password: str, way: Way = Way.REST) -> Answer:
    return await who.call("stepUp", way=way, password=password)


@pytest.mark.parametrize("way", Way)
async def test_signing_in_is_a_proof_for_ten_minutes_and_then_it_takes_another(
    service: Service, services: Services, way: Way
) -> None:
    await register(service)
    ann, elsewhere = await _ann(service), await _ann(service)
    await _try(services, ann)
    await change(service.urls, _LATER)
    with pytest.raises(StepUpRequired) as refused:
        await _try(services, ann)
    assert refused.value.details == {"methods": ("PASSWORD",)}
    told = await value(service.urls, "select count(*) from audit_rows where outcome = 'STEP_UP_REQUIRED'")
    assert told == 1
    until = (await _step_up(ann, PASSWORD, way)).ok()["expiresAt"]
    assert 590 < (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds() <= 600
    await _try(services, ann)
    with pytest.raises(StepUpRequired):
        await _try(services, elsewhere)


async def test_renewing_a_session_proves_nothing(service: Service, services: Services) -> None:
    await register(service)
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    await change(service.urls, _LATER)
    renewed = (await Client(service).call("refreshSession", refreshToken=session["refreshToken"])).ok()
    with pytest.raises(StepUpRequired):
        await _try(services, Client(service, renewed["accessToken"]))


async def test_a_stolen_session_cannot_try_passwords_for_a_proof_for_ever(service: Service, services: Services) -> None:
    await register(service)
    thief = await _ann(service)
    await change(service.urls, _LATER)
    refused = await asyncio.gather(*(_step_up(thief, WRONG) for _ in range(8)))
    assert sorted(str(each.code) for each in refused) == ["ACCOUNT_LOCKED"] * 3 + ["WRONG_PASSWORD"] * 5
    assert (await _step_up(thief, PASSWORD)).code == "ACCOUNT_LOCKED"
    with pytest.raises(StepUpRequired):
        await _try(services, thief)
    assert await ask(service.urls, "select failures from passwords") == [(5,)]


def test_nobody_can_prove_who_nobody_is() -> None:
    with pytest.raises(TypeError, match="allow nobody else"):
        command("POST /guarded", "guarded", allow=anyone, limit=API, step_up=True)(_guarded)
    assert "guarded" not in COMMANDS
