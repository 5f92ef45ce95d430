"""/dev/mail: every community's mail in development, harmless whatever it holds, and nothing at all in production."""

import subprocess
import sys

from muster.kit.db.migrate import Urls
from muster.testing.client import Client
from muster.testing.people import found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service, serving_in_process
from muster.testing.town import make_event
from muster.testing.work import drain

HOSTILE = "<script>alert(1)</script> & {{ 7*7 }}"


async def _write_mails(service: Service) -> None:
    """One mail in the default community, one in another with a hostile title."""
    registered = {"name": "Ann", "email": "ann@example.org", "password": "correct horse battery"}
    (await Client(service).call("register", input=registered)).ok()
    owner, guest = await sign_in(service, "owner"), await sign_in(service, "guest")
    tenant_id = await found_tenant(owner, "hill-valley")
    await put_in_tenant(service, guest, tenant_id)
    event_id = await make_event(owner.client.in_tenant(tenant_id), title=HOSTILE)
    (await guest.client.in_tenant(tenant_id).call("joinEvent", eventId=event_id)).ok()
    await drain(service.urls)


async def test_the_mails_of_every_community_newest_first(service: Service) -> None:
    assert "There is none" in (await service.http.get("/dev/mail")).text
    await _write_mails(service)
    for answer in (
        await service.http.get("/dev/mail.json"),
        await service.http.get("/dev/mail", headers={"accept": "application/json"}),
    ):
        mails = answer.json()
        assert {(mail["to"], mail["community"]) for mail in mails} == {
            ("ann@example.org", "main"),
            ("owner@dev.invalid", "hill-valley"),
        }
        assert mails == sorted(mails, key=lambda mail: str(mail["at"]), reverse=True)
    only = (await service.http.get("/dev/mail.json", params={"to": " Ann@example.org"})).json()
    assert [mail["to"] for mail in only] == ["ann@example.org"]
    assert only[0]["links"][0] in only[0]["text"]
    assert (only[0]["subject"], only[0]["state"]) == ("Confirm your mail address", "KEPT")


async def test_what_a_mail_holds_is_shown_and_never_run(service: Service) -> None:
    await _write_mails(service)
    (mail,) = (await service.http.get("/dev/mail.json", params={"to": "owner@dev.invalid"})).json()
    assert HOSTILE in mail["text"]
    pages = [await service.http.get(path) for path in ("/dev/mail", f"/dev/mail/{mail['id']}")]
    frame = await service.http.get(f"/dev/mail/{mail['id']}/html")
    for page in (*pages, frame):
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7*7 }}" in page.text
    assert frame.headers["content-security-policy"].startswith("sandbox ")
    assert "allow-scripts" not in frame.headers["content-security-policy"] + pages[1].text


def test_the_api_knows_every_kind_of_mail_that_the_worker_sends() -> None:
    told = "from muster.kit.mail.kinds import KINDS; print(sorted(KINDS))"
    known = [
        subprocess.run(
            [sys.executable, "-c", f"import muster.{process}; {told}"], check=True, capture_output=True
        ).stdout
        for process in ("main", "worker")
    ]
    assert known[0] == known[1]
    assert b"identity.verify" in known[0]


async def test_what_is_not_there_is_not_found(service: Service) -> None:
    for path in ("/dev/mail/7", f"/dev/mail/{'0' * 32}", f"/dev/mail/{'0' * 32}/html"):
        assert (await service.http.get(path)).status_code == 404


async def test_there_is_no_such_page_in_production(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV="production") as service:
        for path in ("/dev/mail", "/dev/mail.json", f"/dev/mail/{'0' * 32}"):
            assert (await service.http.get(path)).status_code == 404
