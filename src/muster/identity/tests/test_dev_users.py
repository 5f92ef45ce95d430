"""`X-User-Id` says who asks, in development, and is not even looked at anywhere else."""

from uuid import UUID

import pytest

from muster.identity.dev_users import DevUsers, takes_dev_users
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.kit.processes import CannotRun
from muster.testing.auditing import as_worker
from muster.testing.below import change
from muster.testing.people import sign_in
from muster.testing.serving import Service, serving_in_process, settings_for


async def who(service: Service, named: object) -> tuple[int, str | None]:
    """Whom the service takes for the caller."""
    answer = await service.http.get("/api/v1/me", headers={"x-user-id": str(named)})
    return answer.status_code, answer.json().get("id") if answer.is_success else None


async def test_in_development_the_header_is_the_person(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV="development", MUSTER_RATE_LIMITS="off") as service:
        ann, ben = [await sign_in(service, name) for name in ("ann", "ben")]
        assert await who(service, ann.user_id) == await who(service, ann.user_id) == (200, str(ann.user_id))
        # A token goes before it, so that it never makes somebody of somebody else.
        given = {"authorization": f"Bearer {ben.client.token}", "x-user-id": str(ann.user_id)}
        assert (await service.http.get("/api/v1/me", headers=given)).json()["id"] == str(ben.user_id)
        for nobody in (new_id(), "ann", ""):
            assert await who(service, nobody) == (401, None)
        await change(urls, "update users set disabled_at = now() where id = $1", ben.user_id)
        assert await who(service, ben.user_id) == (401, None)
        # What is revoked is over, by this header too.
        await change(urls, "update sessions set revoked_at = now() where user_id = $1", ann.user_id)
        assert await who(service, ann.user_id) == (401, None)


async def test_elsewhere_the_header_is_nothing(urls: Urls) -> None:
    async with serving_in_process(urls) as service:
        ann = await sign_in(service, "ann")
        assert await who(service, ann.user_id) == (401, None)
    for environment in ("test", "production"):
        assert not takes_dev_users(settings_for(urls, MUSTER_ENV=environment))
    async with as_worker(urls) as services:
        with pytest.raises(CannotRun, match="development alone"):
            DevUsers(services, UUID(int=0))
