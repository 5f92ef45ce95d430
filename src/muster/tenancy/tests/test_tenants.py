"""Communities: one slug is one community, its founder owns it, and only its active members enter."""

import asyncio
from uuid import uuid4

import pytest

from muster.testing.below import value
from muster.testing.client import Client, Way
from muster.testing.people import found_tenant, put_in_tenant, sign_in, suspend
from muster.testing.serving import Service


async def test_two_who_want_one_slug_at_once_make_one_community(service: Service) -> None:
    people = [await sign_in(service, f"founder {number}") for number in range(4)]
    wanted = {"slug": "hill-valley", "name": "Hill Valley"}
    answers = await asyncio.gather(*(each.client.call("createTenant", input=wanted) for each in people))
    assert sorted(str(answer.code) for answer in answers) == ["None"] + ["SLUG_TAKEN"] * 3
    assert await value(service.urls, "select count(*) from tenants where slug = 'hill-valley'") == 1
    assert await value(service.urls, "select count(*) from members where role = 'owner'") == 1


@pytest.mark.parametrize("slug", ["a", "-a", "a-", "A b", "hill_valley", "a--b", "x" * 41])
async def test_a_slug_is_what_fits_in_an_address(service: Service, slug: str) -> None:
    person = await sign_in(service, "founder")
    answer = await person.client.call("createTenant", input={"slug": slug, "name": "A town"})
    assert (answer.status, answer.problem["errors"][0]["path"]) == (422, "slug")


@pytest.mark.parametrize("way", Way)
async def test_a_community_is_looked_at_by_who_belongs_to_it_or_has_entered(service: Service, way: Way) -> None:
    founder, stranger, barred = [await sign_in(service, name) for name in ("founder", "stranger", "barred")]
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_in_tenant(service, barred, tenant_id)
    for person in (founder, barred):
        assert (await person.client.call("tenant", way=way, id=tenant_id)).ok()["slug"] == "hill-valley"
    await suspend(service, barred, tenant_id)
    for caller in (stranger.client, barred.client, Client(service)):
        assert (await caller.call("tenant", way=way, id=tenant_id)).missing
    default = await value(service.urls, "select id from tenants where is_default")
    assert (await Client(service).call("tenant", way=way, id=default)).ok()["id"] == str(default)
    assert (await founder.client.in_tenant(tenant_id).call("tenant", way=way, id=default)).ok()["id"] == str(default)


@pytest.mark.parametrize("way", Way)
async def test_a_community_that_is_not_open_looks_like_none(service: Service, way: Way) -> None:
    founder, stranger, barred = [await sign_in(service, name) for name in ("founder", "stranger", "barred")]
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_in_tenant(service, barred, tenant_id)
    (await barred.client.in_tenant(tenant_id).call("events", way=way)).ok()
    await suspend(service, barred, tenant_id)
    absent = await stranger.client.in_tenant("no-such-town").call("events", way=way)
    assert (absent.status, absent.code) == (404, "TENANT_NOT_FOUND")
    for caller in (stranger.client, barred.client, Client(service)):
        for named in (tenant_id, "hill-valley", uuid4(), "no-such-town"):
            assert await caller.in_tenant(named).call("events", way=way) == absent
    for named in (tenant_id, "hill-valley"):
        assert (await founder.client.in_tenant(named).call("events", way=way)).ok()["items"] == []
