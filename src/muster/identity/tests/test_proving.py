"""A proof by signing in again with a provider: only one's own, only a fresh one, and by no ticket of another kind."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from muster.adapters.tests.test_oidc import Hostile, hostile
from muster.kit.db.migrate import Urls
from muster.testing.below import change
from muster.testing.client import Answer, Client, Way
from muster.testing.people import sign_in
from muster.testing.serving import serving


@dataclass
class Scene:
    """Somebody who has nothing but a provider, and whose session is not proved."""

    told: Hostile
    client: Client

    async def proved(
        self, way: Way, *, begin: str = "beginProviderStepUp", finish: str = "finishProviderStepUp"
    ) -> Answer:
        """Go there and come back."""
        begun: Any = (await self.client.call(begin, way=way, provider="local")).ok()
        asked = {name: each for name, (each,) in parse_qs(urlsplit(begun["url"]).query).items()}
        assert asked.get("max_age") == ("0" if begin == "beginProviderStepUp" else None)
        self.told.claims["nonce"] = asked["nonce"]
        return await self.client.call(finish, way=way, ticket=begun["ticket"], code="any", state=asked["state"])


@pytest_asyncio.fixture
async def scene(urls: Urls) -> AsyncIterator[Scene]:
    async with hostile() as told:
        settings = {
            "SIGN_IN_WITH": "local",
            "SIGN_IN_LOCAL_ISSUER": told.address,
            "SIGN_IN_LOCAL_CLIENT_ID": "muster",
            "SIGN_IN_LOCAL_CLIENT_SECRET": "a secret: of/ours",
        }
        async with serving(urls, **settings) as service:
            ann = await sign_in(service, "ann")
            await change(
                urls,
                "insert into external_identities (id, user_id, provider, issuer, subject, email, created_at, used_at) "
                "values (uuidv7(), $1, 'local', $2, '1', 'ann@example.org', now(), now())",
                ann.user_id,
                told.address,
            )
            await change(urls, "update sessions set proved_at = null")
            yield Scene(told, ann.client)


@pytest.mark.parametrize("way", Way)
async def test_who_just_signed_in_there_has_shown_who_they_are(scene: Scene, way: Way) -> None:
    refused = await scene.client.call("createApiKey", way=way, input={"name": "K"})
    assert refused.code == "STEP_UP_REQUIRED"
    assert "PROVIDER" in str(refused.problem)
    scene.told.claims["auth_time"] = int(time.time())
    assert "expiresAt" in (await scene.proved(way)).ok()
    (await scene.client.call("createApiKey", way=way, input={"name": "K"})).ok()


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({}, "PROVIDER_SIGN_IN_TOO_OLD"),
        ({"auth_time": 1_000_000_000}, "PROVIDER_SIGN_IN_TOO_OLD"),
        ({"auth_time": 10**18}, "PROVIDER_SIGN_IN_TOO_OLD"),
        ({"auth_time": "now"}, "PROVIDER_SIGN_IN_TOO_OLD"),
        ({"sub": "somebody else", "auth_time": None}, "SIGN_IN_REFUSED"),
    ],
)
async def test_what_is_old_or_of_somebody_else_proves_nothing(
    scene: Scene, claims: dict[str, object], code: str
) -> None:
    scene.told.claims.update(claims)
    assert (await scene.proved(Way.REST)).code == code
    assert (await scene.client.call("createApiKey", input={"name": "K"})).code == "STEP_UP_REQUIRED"


async def test_a_ticket_to_prove_links_nothing_and_one_to_link_proves_nothing(scene: Scene) -> None:
    scene.told.claims |= {"auth_time": int(time.time()), "sub": "theirs"}
    assert (await scene.proved(Way.REST, finish="linkIdentity")).code == "SIGN_IN_EXPIRED"
    await change(scene.client.service.urls, "update sessions set proved_at = now()")
    scene.told.claims["sub"] = "1"
    assert (await scene.proved(Way.REST, begin="beginLink")).code == "SIGN_IN_EXPIRED"
