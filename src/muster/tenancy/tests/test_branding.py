"""What a community is like and looks like: changed by who may, shown on its pages and in its mails, readable for all."""

from uuid import UUID

import pytest

from muster.kit.brand import contrast, text_on
from muster.testing.below import change, value
from muster.testing.client import Client, Way
from muster.testing.people import found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service
from muster.testing.work import drain

LOOK = {
    "logoUrl": "https://chess.example/logo.png",
    "primaryColour": "#FFCC00",
    "accentColour": "#003399",
    "terms": [{"term": "EVENT", "one": "Match", "many": "Matches"}],
}


async def _give_default_to(service: Service, name: str) -> Client:
    """Make somebody an admin of the default community."""
    person = await sign_in(service, name)
    await change(service.urls, "update members set role = 'admin' where user_id = $1", person.user_id)
    return person.client


def test_text_on_any_colour_can_be_read() -> None:
    for number in range(0, 256**3, 60_017):
        colour = f"#{number:06x}"
        assert contrast(colour, text_on(colour)) >= 4.5, colour
    assert (text_on("#000000"), text_on("#ffffff"), text_on("#ffcc00")) == ("#ffffff", "#000000", "#000000")
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("way", Way)
async def test_what_a_community_is_like_is_changed_by_who_may(service: Service, way: Way) -> None:
    founder, guest = [await sign_in(service, name) for name in ("founder", "guest")]
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_in_tenant(service, guest, tenant_id)
    owner, member = founder.client.in_tenant(tenant_id), guest.client.in_tenant(tenant_id)
    wanted = {"kind": "CLUB", "timezone": "Europe/Warsaw", "country": "PL", "joinPolicy": "OPEN", "version": 1}
    refused = await member.call("updateTenant", way=way, input=wanted)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    changed = (await owner.call("updateTenant", way=way, input=wanted)).ok()
    assert {**changed, **wanted, "version": 2} == changed
    assert (await owner.call("updateTenant", way=way, input=wanted)).status == 412
    looks = (await owner.call("updateBranding", way=way, input=LOOK)).ok()
    assert (looks["primaryColour"], looks["terms"]) == ("#ffcc00", {"EVENT": {"one": "Match", "many": "Matches"}})
    assert (await member.call("currentTenant", way=way)).ok() == {**looks, "ownRole": "participant"}
    again = (await owner.call("updateBranding", way=way, input=LOOK)).ok()
    assert again["version"] == looks["version"] == 3
    bare = (await owner.call("updateBranding", way=way, input={"logoUrl": None, "terms": []})).ok()
    assert (bare["logoUrl"], bare["terms"], bare["accentColour"]) == (None, {}, "#003399")
    told = await value(service.urls, "select jsonb_agg(data -> 'changed') from facts where kind = 'tenant.updated'")
    assert '"primaryColour"' in told


@pytest.mark.parametrize(
    ("verb", "input", "path"),
    [
        ("updateTenant", {"timezone": "Mars/Olympus"}, "timezone"),
        ("updateTenant", {"country": "XX"}, "country"),
        ("updateTenant", {"locale": "English"}, "locale"),
        ("updateTenant", {"slug": "another"}, "slug"),
        ("updateTenant", {"status": "SUSPENDED"}, "status"),
        ("updateTenant", {"isDefault": True}, "isDefault"),
        ("updateBranding", {"primaryColour": "red"}, "primaryColour"),
        ("updateBranding", {"accentColour": "#12345g"}, "accentColour"),
        ("updateBranding", {"logoUrl": "http://chess.example/logo.png"}, "logoUrl"),
        ("updateBranding", {"logoUrl": "https://a.example;script-src/*"}, "logoUrl"),
        ("updateBranding", {"logoUrl": 'https://a.example/"onerror='}, "logoUrl"),
        ("updateBranding", {"logoUrl": "javascript:alert(1)//"}, "logoUrl"),
        ("updateBranding", {"terms": [{"term": "EVENT", "one": "Match", "many": "Matches"}] * 2}, "terms"),
    ],
)
async def test_what_no_community_is_like_is_refused(service: Service, verb: str, input: object, path: str) -> None:
    founder = await sign_in(service, "founder")
    owner = founder.client.in_tenant(await found_tenant(founder, "hill-valley"))
    answer = await owner.call(verb, input=input)
    assert answer.status == 422
    assert answer.problem["errors"][0]["path"] == path
    assert await value(service.urls, "select version from tenants where slug = 'hill-valley'") == 1


async def test_pages_look_like_the_community_that_everybody_may_know_of(service: Service) -> None:
    admin = await _give_default_to(service, "founder")
    (await admin.call("updateTenant", input={"name": "Hill <Valley>"})).ok()
    (await admin.call("updateBranding", input=LOOK)).ok()
    shown = await service.http.get("/forgot")
    assert "Hill &lt;Valley&gt;" in shown.text
    assert '<img src="https://chess.example/logo.png"' in shown.text
    assert "img-src 'self' https://chess.example;" in shown.headers["content-security-policy"]
    style = await service.http.get("/assets/colours/ffcc00/003399")
    assert style.headers["content-type"].startswith("text/css")
    assert "/assets/colours/ffcc00/003399" in shown.text
    assert "--brand: #ffcc00; --on-brand: #000000" in style.text
    for wrong in ("red/blue", "ffcc00/00339", "FFCC00/003399", "ffcc00/003399;}"):
        assert (await service.http.get(f"/assets/colours/{wrong}")).status_code == 404


async def test_a_page_names_no_community_that_not_everybody_may_know_of(service: Service) -> None:
    founder = await sign_in(service, "founder")
    tenant_id = await found_tenant(founder, "hill-valley")
    for named in ("hill-valley", str(tenant_id), str(UUID(int=7))):
        shown = await service.http.get("/forgot", headers={"x-tenant": named})
        assert (shown.status_code, "Town hill-valley" in shown.text) == (200, False)
    (await founder.client.in_tenant(tenant_id).call("updateTenant", input={"isListed": True})).ok()
    assert "Town hill-valley" in (await service.http.get("/forgot", headers={"x-tenant": "hill-valley"})).text


async def test_mails_look_like_their_community(service: Service) -> None:
    admin = await _give_default_to(service, "founder")
    (await admin.call("updateTenant", input={"name": "Hill Valley"})).ok()
    (await admin.call("updateBranding", input=LOOK)).ok()
    person = {"name": "Ada", "email": "ada@example.org", "password": "a long enough one"}
    (await Client(service).call("register", input=person)).ok()
    await drain(service.urls)
    (mail,) = (await service.http.get("/dev/mail.json")).json()
    assert "Hill Valley" in mail["text"]
    for held in ("Hill Valley", "#ffcc00", "#000000", 'src="https://chess.example/logo.png"'):
        assert held in mail["html"]
    (await admin.call("updateBranding", input={"logoUrl": None})).ok()
    (plain,) = (await service.http.get("/dev/mail.json")).json()
    assert "<img" not in plain["html"]
