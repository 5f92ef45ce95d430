"""Sockets end with the right to have them: in every process, idle or not, because the database says what changed.

The slow round over everything is put off here, so that nothing but the notification can have ended a socket.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from muster.kit.caller import Claim
from muster.kit.endpoints.tests.sites import Site, opened
from muster.kit.realtime import watch
from muster.kit.realtime.tests.support import Community
from muster.testing.below import change

ENDED = (4403, "Your session has ended; sign in again.")
FOLLOW = "subscription { notificationAdded { cursor } }"
LISTENERS = "from pg_stat_activity where query like 'LISTEN %' and datname = current_database()"


@pytest.fixture(autouse=True)
def no_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_ROUND_SECONDS", 3600.0)


@pytest.fixture
async def other(town: Community) -> AsyncIterator[Site]:
    """A second process that serves the same community."""
    async with opened(town) as site:
        yield site


async def _suspend(town: Community, claim: Claim) -> None:
    await change(
        town.urls,
        "update members set status = 'SUSPENDED' where tenant_id = $1 and user_id = $2",
        claim.tenant_id,
        claim.user_id,
    )


async def test_signing_out_closes_every_socket_of_the_session(town: Community, site: Site, other: Site) -> None:
    guest, same_person = await town.person("Guest"), await town.person("Guest")
    async with site.client(guest) as idle, other.client(guest) as follows, other.client(same_person) as elsewhere:
        await follows.run("x", FOLLOW)
        await other.follows(1)
        await town.run(guest, "logout")
        assert await idle.closed() == ENDED
        told = await follows.receive()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
        assert await follows.closed() == ENDED
        await elsewhere.send(type="ping")
        assert await elsewhere.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("status", "gone_at", "said"), [("SUSPENDED", "null", "suspended"), ("DELETING", "now()", "deleted")]
)
async def test_closing_a_community_closes_its_sockets(
    town: Community, site: Site, status: str, gone_at: str, said: str
) -> None:
    owner = await town.person("Owner")
    tenant = await town.run(owner, "createTenant", input={"slug": "own", "name": "Our own"})
    async with site.socket() as inside, site.client(owner) as elsewhere:
        payload = {"authorization": site.token(owner), "tenant": str(tenant.row_id)}
        await inside.send(type="connection_init", payload=payload)
        assert (await inside.receive())["type"] == "connection_ack"
        close = f"update tenants set status = $2, deletes_at = {gone_at} where id = $1"  # noqa: S608 - our own text
        await change(town.urls, close, tenant.row_id, status)
        code, reason = await inside.closed()
        assert (code, said in reason) == (4403, True)
        await elsewhere.send(type="ping")
        assert await elsewhere.receive() == {"type": "pong"}


async def test_a_session_that_has_ended_is_not_let_in(town: Community, site: Site) -> None:
    guest = await town.person("Guest")
    await town.run(guest, "logout")
    async with site.socket() as client:
        await client.send(type="connection_init", payload={"authorization": site.token(guest)})
        assert await client.closed() == ENDED


async def test_nobody_is_let_into_a_community_that_is_not_open_to_them(town: Community, site: Site) -> None:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    tenant = await town.run(owner, "createTenant", input={"slug": "own", "name": "Our own"})
    for claim, let_in in ((owner, True), (guest, False)):
        async with site.socket() as client:
            payload = {"authorization": site.token(claim), "tenant": str(tenant.row_id)}
            await client.send(type="connection_init", payload=payload)
            if let_in:
                assert await client.receive() == {"type": "connection_ack"}
            else:
                assert (await client.closed())[0] == 4403


async def test_whoever_is_suspended_keeps_the_socket_and_loses_the_streams(town: Community, site: Site) -> None:
    """The default community is open to visitors; what one follows as a member ends."""
    guest, owner = await town.person("Guest"), await town.person("Owner")
    async with site.client(guest) as guests, site.client(owner) as owners:
        for client in (guests, owners):
            await client.run("x", FOLLOW)
        await site.follows(2)
        await _suspend(town, guest)
        told = await guests.receive()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "NOT_A_MEMBER")
        await owners.send(type="ping")
        assert await owners.receive() == {"type": "pong"}


async def test_whoever_is_suspended_in_a_closed_community_is_let_go(town: Community, site: Site) -> None:
    owner = await town.person("Owner")
    tenant = await town.run(owner, "createTenant", input={"slug": "own", "name": "Our own"})
    async with site.socket() as client:
        payload = {"authorization": site.token(owner), "tenant": "own"}
        await client.send(type="connection_init", payload=payload)
        assert await client.receive() == {"type": "connection_ack"}
        await _suspend(town, Claim(tenant.row_id, owner.user_id, owner.session_id))
        assert await client.closed() == (4403, "There is no such community, or it is not open to you.")


async def test_what_changed_while_nobody_listened_is_asked_about_afterwards(town: Community, site: Site) -> None:
    guest = await town.person("Guest")
    async with site.client(guest) as client, town.database.connection() as connection:
        await _cut_listeners(connection)
        await town.run(guest, "logout")
        assert await client.closed() == ENDED


async def test_a_round_over_everything_finds_what_ends_by_itself(
    town: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_ROUND_SECONDS", 0.1)
    guest = await town.person("Guest")
    async with opened(town) as site, site.client(guest) as client:
        await change(town.urls, "update sessions set expires_at = now() where id = $1", guest.session_id)
        assert await client.closed() == ENDED


async def _cut_listeners(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval(f"select count(pg_terminate_backend(pid)) {LISTENERS}") == 1
