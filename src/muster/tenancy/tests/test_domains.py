"""Domains of a community's own: proven by DNS, kept while the proof is there, and the way in by the name of the host."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from muster.kit.endpoints import hosts
from muster.kit.endpoints.hosts import Hosts
from muster.kit.ids import new_id
from muster.tenancy.rules import domain_of, is_within
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.name_server import NameServer, name_server
from muster.testing.people import found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service, serving_in_process
from muster.testing.work import working

RECORD = "_muster-challenge.chess.example"
LEADS = "select tenant_id::text from hosts where name = 'chess.example'"


@pytest.fixture
async def dns() -> AsyncIterator[NameServer]:
    """A name server of the test's own."""
    async with name_server() as server:
        yield server


@pytest.fixture
async def site(service: Service, dns: NameServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """The application that asks it, and sees at once where hosts lead."""
    monkeypatch.setattr(hosts, "_PERIOD_SECONDS", 0.02)
    async with serving_in_process(
        service.urls, MUSTER_DNS_SERVER=dns.address, MUSTER_TENANT_DOMAIN="towns.example"
    ) as site:
        yield site


async def owner_of(site: Service, slug: str) -> Client:
    """The owner of a fresh community, in it."""
    person = await sign_in(site, f"{slug} founder")
    return person.client.in_tenant(await found_tenant(person, slug))


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Chess.Example.", "chess.example"),
        ("schach.münchen.example", "schach.xn--mnchen-3ya.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("chess", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("a..example", None),
        ("-a.example", None),
        ("a_b.example", None),
        ("chess.example/path", None),
        ("chess.example:80", None),
        ("user@chess.example", None),
        ("*.example", None),
        ("chess.example\n", "chess.example"),
        (f"{'a' * 64}.example", None),
        (".".join(["a" * 60] * 5), None),
        ("", None),
    ],
)
def test_a_domain_has_one_form(text: str, domain: str | None) -> None:
    assert domain_of(text) == domain


def test_what_is_ours_is_nobody_s_to_name() -> None:
    for name in ("api.example.org", "x.api.example.org", "example.org"):
        assert is_within(name, ["api.example.org"])
    assert not is_within("notapi.example.org", ["api.example.org"])


def test_a_host_leads_to_one_community_however_it_is_written() -> None:
    tenant_id = new_id()
    known = Hosts("towns.example", {"chess.example": tenant_id})
    for host in ("chess.example", "CHESS.example:8443", "chess.example.", "chess.example.:80"):
        assert known.leads_to(host) == tenant_id
    assert known.leads_to(None) is None
    for host in ("", "chess.example.evil", "xchess.example", "towns.example", "a.b.towns.example", "[::1]:80"):
        assert known.leads_to(host) is None
    assert known.leads_to("Hill-Valley.towns.example:80") == "hill-valley"
    assert Hosts().leads_to("chess.example") is None


@pytest.mark.parametrize("way", Way)
async def test_a_domain_is_proven_and_leads_to_its_community(site: Service, dns: NameServer, way: Way) -> None:
    owner = await owner_of(site, "hill-valley")
    named = (await owner.call("addDomain", way=way, name="Chess.Example.")).ok()
    assert (named["name"], named["recordName"], named["provenAt"]) == ("chess.example", RECORD, None)
    again = await owner.call("addDomain", way=way, name="chess.example")
    assert again.code == "DOMAIN_NAMED"
    wrong: list[dict[str, list[str]]] = [{}, {RECORD: ["something else"]}, {RECORD: [named["token"] + "x", ""]}]
    for texts in wrong:
        dns.texts = texts
        refused = await owner.call("proveDomain", way=way, id=named["id"])
        assert (refused.status, refused.code) == (409, "DOMAIN_NOT_PROVEN")
    dns.silent = True
    assert (await owner.call("proveDomain", way=way, id=named["id"])).status == 503
    dns.silent = False
    assert await value(site.urls, LEADS) is None
    dns.texts = {RECORD: ["something else", named["token"]]}
    proven = (await owner.call("proveDomain", way=way, id=named["id"])).ok()
    assert proven["provenAt"] is not None
    assert [each["id"] for each in (await owner.call("domains", way=way)).ok()["items"]] == [named["id"]]
    for _ in range(2):
        (await owner.call("removeDomain", way=way, name="chess.EXAMPLE")).ok()
    assert (await owner.call("domains", way=way)).ok()["items"] == []
    assert await value(site.urls, LEADS) is None


async def test_the_host_names_the_community_and_lets_nobody_in(site: Service, dns: NameServer) -> None:
    owner = await owner_of(site, "hill-valley")
    named = (await owner.call("addDomain", name="chess.example")).ok()
    dns.texts = {RECORD: [named["token"]]}
    (await owner.call("proveDomain", id=named["id"])).ok()
    stranger = await sign_in(site, "stranger")
    signed = {"authorization": f"Bearer {owner.token}"}

    async def seen(host: str, **headers: str) -> tuple[int, str | None]:
        response = await site.http.get("/api/v1/tenant", headers={"host": host, **headers})
        return response.status_code, response.json().get("slug")

    while (await seen("chess.example", **signed)) != (200, "hill-valley"):
        pass
    for host in ("CHESS.EXAMPLE.:8000", "hill-valley.towns.example"):
        assert await seen(host, **signed) == (200, "hill-valley")
    # A header that names a community goes first, and no name of a host opens any door.
    assert await seen("chess.example", **signed, **{"x-tenant": "main"}) == (200, "main")
    assert await seen("evil.example", **signed) == (200, "main")
    for host in ("chess.example", "hill-valley.towns.example", "no-such-town.towns.example"):
        assert (await seen(host))[0] == 404
        assert (await seen(host, authorization=f"Bearer {stranger.client.token}"))[0] == 404
    assert await seen("chess.example", **signed, **{"x-forwarded-host": "evil.example"}) == (200, "hill-valley")


async def test_nobody_takes_a_domain_whose_proof_is_there(site: Service, dns: NameServer) -> None:
    first, second = await owner_of(site, "hill-valley"), await owner_of(site, "twin-pines")
    mine = (await first.call("addDomain", name="chess.example")).ok()
    theirs = (await second.call("addDomain", name="chess.example")).ok()
    assert mine["token"] != theirs["token"]
    dns.texts = {RECORD: [mine["token"]]}
    # What proves it for one does not prove it for another.
    assert (await second.call("proveDomain", id=theirs["id"])).code == "DOMAIN_NOT_PROVEN"
    (await first.call("proveDomain", id=mine["id"])).ok()
    dns.texts = {RECORD: [mine["token"], theirs["token"]]}
    assert (await second.call("proveDomain", id=theirs["id"])).code == "DOMAIN_TAKEN"
    assert (await second.call("proveDomain", id=mine["id"])).code == "DOMAIN_NOT_FOUND"
    (await second.call("removeDomain", name="chess.example")).ok()
    theirs = (await second.call("addDomain", name="chess.example")).ok()
    assert await value(site.urls, LEADS) == first.tenant
    # Who buys the domain sets a record of their own, and the old one is gone.
    dns.texts = {RECORD: [theirs["token"]]}
    (await second.call("proveDomain", id=theirs["id"])).ok()
    assert await value(site.urls, LEADS) == second.tenant


async def test_a_domain_is_looked_at_again_and_lost_after_a_week_without_its_record(
    site: Service, dns: NameServer
) -> None:
    owner, admin = await owner_of(site, "hill-valley"), await sign_in(site, "an admin")
    await put_in_tenant(site, admin, UUID(owner.tenant), role="admin")
    named = (await owner.call("addDomain", name="chess.example")).ok()
    dns.texts = {RECORD: [named["token"]]}
    (await owner.call("proveDomain", id=named["id"])).ok()
    failing = "select failing_since is not null from domains"
    async with working(site.urls, MUSTER_DNS_SERVER=dns.address) as work:
        await work.quiet()
        now = datetime.now(UTC)
        dns.silent = True
        await work.pass_to(now + timedelta(days=1))
        assert await value(site.urls, failing) is False
        dns.silent, dns.texts = False, {}
        await work.pass_to(now + timedelta(days=2))
        assert await value(site.urls, failing) is True
        assert await value(site.urls, LEADS) == owner.tenant
        dns.texts = {RECORD: [named["token"]]}
        await work.pass_to(now + timedelta(days=3))
        assert await value(site.urls, failing) is False
        dns.texts = {}
        await work.pass_to(now + timedelta(days=4))
        await change(site.urls, "update domains set failing_since = now() - interval '7 days'")
        await work.pass_to(now + timedelta(days=5))
    assert await value(site.urls, LEADS) is None
    kinds = await ask(site.urls, "select kind from facts where kind in ('domain.failing', 'domain.lost') order by id")
    assert kinds == [("domain.failing",), ("domain.failing",), ("domain.lost",)]
    assert (await owner.call("domains")).ok()["items"][0]["provenAt"] is None
    # Who runs it is told of each turn: the owner proved it themselves, and so is not told of that.
    of_both = ["DOMAIN_FAILING", "DOMAIN_FAILING", "DOMAIN_LOST"]
    for person, expected in ((owner, of_both), (admin.client, ["DOMAIN_PROVEN", *of_both])):
        notices = (await person.in_tenant(owner.tenant).call("myNotifications")).ok()["items"]
        told = [each for each in reversed(notices) if each["kind"].startswith("DOMAIN_")]
        assert [(each["kind"], each["data"]["name"]) for each in told] == [(kind, "chess.example") for kind in expected]
    letters = (await site.http.get("/dev/mail.json")).json()
    subjects = Counter(each["subject"] for each in letters if "chess.example" in each["subject"])
    assert subjects == {
        "chess.example leads to Town hill-valley": 1,
        "chess.example is about to be lost": 4,
        "chess.example leads to Town hill-valley no longer": 2,
    }


async def test_what_is_no_domain_of_a_community_s_own_is_refused(site: Service, dns: NameServer) -> None:
    owner = await owner_of(site, "hill-valley")
    for name in ("localhost.example/..", "towns.example", "x.towns.example", "127.0.0.1", "app.localhost", "com"):
        refused = await owner.call("addDomain", name=name)
        assert (refused.status, refused.problem["errors"][0]["path"]) == (422, "name"), name
    for number in range(5):
        (await owner.call("addDomain", name=f"town-{number}.example")).ok()
    assert (await owner.call("addDomain", name="one-more.example")).code == "TOO_MANY_DOMAINS"
    member = await sign_in(site, "stranger")
    assert (await member.client.call("addDomain", name="chess.example")).status == 403
    assert dns.asked == 0
