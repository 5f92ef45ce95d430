"""Handing a community over: offered, accepted, declined, taken back, over; at every moment there is exactly one owner."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import Person, found_tenant, give_role, put_in_tenant, sign_in, suspend
from muster.testing.serving import Service, serving_in_process

ROLE = "select role from members where user_id = $1 and tenant_id = $2"
OWNERS = "select user_id from members where role = 'owner' and tenant_id = $1"


class Club:
    """A community with an owner and two members."""

    def __init__(self, service: Service, people: list[Person], tenant_id: UUID) -> None:
        self.service, self.tenant_id = service, tenant_id
        self.founder, self.heir, self.other = people
        self.owner, self.next, self.third = (each.client.in_tenant(tenant_id) for each in people)

    async def owners(self) -> list[str]:
        """Who owns it."""
        return [str(row[0]) for row in await ask(self.service.urls, OWNERS, self.tenant_id)]


@pytest.fixture
async def club(service: Service) -> Club:
    """A fresh one."""
    people = [await sign_in(service, name) for name in ("founder", "heir", "third")]
    tenant_id = await found_tenant(people[0], "hill-valley")
    for person in people[1:]:
        await put_in_tenant(service, person, tenant_id)
    return Club(service, people, tenant_id)


@pytest.mark.parametrize("way", Way)
async def test_a_community_is_handed_over(club: Club, way: Way) -> None:
    made = (await club.owner.call("offerOwnership", way=way, userId=club.heir.user_id)).ok()
    assert made["user"]["id"] == str(club.heir.user_id)
    assert await club.owners() == [str(club.founder.user_id)]
    for client in (club.owner, club.next):
        assert (await client.call("ownershipOffer", way=way)).ok()["id"] == made["id"]
    assert (await club.third.call("ownershipOffer", way=way)).missing
    assert (await club.third.call("acceptOwnership", way=way)).code == "OFFER_NOT_FOUND"
    (await club.next.call("acceptOwnership", way=way)).ok()
    assert await club.owners() == [str(club.heir.user_id)]
    assert await value(club.service.urls, ROLE, club.founder.user_id, club.tenant_id) == "admin"
    # At the next request the old owner has lost what only owners may.
    assert (await club.owner.call("offerOwnership", way=way, userId=club.other.user_id)).status == 403
    assert (await club.next.call("acceptOwnership", way=way)).code == "OFFER_NOT_FOUND"


async def test_who_finds_an_open_laptop_hands_nothing_over(club: Club) -> None:
    (await club.owner.call("offerOwnership", userId=club.heir.user_id)).ok()
    await change(club.service.urls, "update sessions set proved_at = proved_at - interval '11 minutes'")
    assert (await club.owner.call("offerOwnership", userId=club.other.user_id)).code == "STEP_UP_REQUIRED"
    for client, verb in ((club.next, "acceptOwnership"), (club.owner, "deleteTenant")):
        assert (await client.call(verb)).code == "STEP_UP_REQUIRED"
    assert await club.owners() == [str(club.founder.user_id)]


async def test_an_offer_is_declined_taken_back_replaced_or_over(club: Club) -> None:
    heir = club.heir.user_id
    (await club.owner.call("offerOwnership", userId=heir)).ok()
    (await club.next.call("declineOwnership")).ok()
    assert (await club.next.call("acceptOwnership")).status == 404
    (await club.owner.call("offerOwnership", userId=heir)).ok()
    (await club.owner.call("withdrawOwnershipOffer")).ok()
    (await club.owner.call("withdrawOwnershipOffer")).ok()
    assert (await club.next.call("acceptOwnership")).status == 404
    (await club.owner.call("offerOwnership", userId=heir)).ok()
    (await club.owner.call("offerOwnership", userId=club.other.user_id)).ok()
    assert (await club.next.call("acceptOwnership")).status == 404
    await change(club.service.urls, "update ownership_offers set expires_at = now()")
    assert (await club.third.call("acceptOwnership")).status == 404
    assert (await club.owner.call("ownershipOffer")).missing
    assert await club.owners() == [str(club.founder.user_id)]


async def test_it_is_offered_to_who_can_own_it(club: Club) -> None:
    stranger = await sign_in(club.service, "stranger")
    await suspend(club.service, club.other, club.tenant_id)
    for user_id in (stranger.user_id, club.founder.user_id, club.other.user_id):
        refused = await club.owner.call("offerOwnership", userId=user_id)
        assert (refused.status, refused.problem["errors"][0]["path"]) == (422, "userId")
    for client in (
        club.next,
        stranger.client.in_tenant(club.tenant_id),
        Client(club.service).in_tenant(club.tenant_id),
    ):
        assert (await client.call("offerOwnership", userId=club.heir.user_id)).status in (403, 404)
    assert await value(club.service.urls, "select count(*) from ownership_offers") == 0


async def test_of_accepting_and_taking_back_at_once_one_happens(club: Club) -> None:
    for _ in range(4):
        (await club.owner.call("offerOwnership", userId=club.heir.user_id)).ok()
        accepted, withdrawn = await asyncio.gather(
            club.next.call("acceptOwnership"), club.owner.call("withdrawOwnershipOffer")
        )
        assert withdrawn.status in (204, 403)
        owners = await club.owners()
        assert owners == [str((club.heir if accepted.code is None else club.founder).user_id)]
        if accepted.code is None:
            club.owner, club.next = club.next, club.owner
            club.founder, club.heir = club.heir, club.founder


async def test_the_database_has_room_for_one_owner(club: Club) -> None:
    with pytest.raises(asyncpg.UniqueViolationError, match="members_owner_idx"):
        await give_role(club.service, club.heir, club.tenant_id, "owner")


async def test_nobody_owns_more_communities_than_one_may(service: Service) -> None:
    async with serving_in_process(service.urls, MUSTER_TENANTS_PER_PERSON="3") as strict:
        founder = await sign_in(strict, "founder")
        made = await asyncio.gather(
            *(
                founder.client.call("createTenant", input={"slug": f"town-{number}", "name": "A town"})
                for number in range(8)
            )
        )
        assert sorted(str(each.code) for each in made) == ["None"] * 3 + ["TOO_MANY_TENANTS"] * 5
        heir = await sign_in(strict, "heir")
        tenant_id = await found_tenant(heir, "hill-valley")
        await put_in_tenant(strict, founder, tenant_id)
        (await heir.client.in_tenant(tenant_id).call("offerOwnership", userId=founder.user_id)).ok()
        refused = await founder.client.in_tenant(tenant_id).call("acceptOwnership")
        assert (refused.status, refused.code) == (409, "TOO_MANY_TENANTS")


async def test_where_staff_found_communities_nobody_else_does(service: Service) -> None:
    async with serving_in_process(service.urls, MUSTER_TENANT_FOUNDERS="staff") as strict:
        founder = await sign_in(strict, "founder")
        refused = await founder.client.call("createTenant", input={"slug": "hill-valley", "name": "Hill Valley"})
        assert (refused.status, refused.code) == (403, "ONLY_BY_STAFF")
        assert await value(service.urls, "select count(*) from tenants where slug = 'hill-valley'") == 0
