"""Mails are forgotten a month after they were sent or given up, in every tenant, and hold no secret until then."""

from datetime import UTC, datetime, timedelta

from muster.identity.tests.people import ANN, mailed, register
from muster.kit.mail.delivery import PATIENCE
from muster.kit.mail.jobs import KEPT
from muster.testing.below import ask, change, value
from muster.testing.people import found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import working


async def test_mails_are_forgotten_a_month_after_they_are_done(service: Service) -> None:
    await register(service, verified=False)
    owner, guest = await sign_in(service, "owner"), await sign_in(service, "guest")
    tenant_id = await found_tenant(owner, "hill-valley")
    await put_in_tenant(service, guest, tenant_id)
    event_id = await make_event(owner.client.in_tenant(tenant_id))
    (await guest.client.in_tenant(tenant_id).call("joinEvent", eventId=event_id)).ok()
    async with working(service.urls) as work:
        await work.quiet()
        posted = await ask(service.urls, "select kind, tenant_id = $1 from mails order by kind", tenant_id)
        assert posted == [("events.joined", True), ("identity.verify", False)]
        now = datetime.now(UTC)
        await work.pass_to(now + PATIENCE + KEPT - timedelta(hours=1))
        assert await value(service.urls, "select count(*) from mails") == 2
        await change(service.urls, "update mails set state = 'WAITING' where kind = 'events.joined'")
        await work.pass_to(now + PATIENCE + KEPT + timedelta(days=1))
        assert await ask(service.urls, "select kind from mails") == [("events.joined",)]
        await change(service.urls, "update mails set state = 'FAILED'")
        await work.pass_to(now + PATIENCE + KEPT + timedelta(days=2))
        assert await value(service.urls, "select count(*) from mails") == 0


async def test_no_row_holds_the_secret_of_its_letter(service: Service) -> None:
    await register(service, verified=False)
    (token,) = await mailed(service, "identity.verify")
    (row,) = await ask(service.urls, "select address, mails::text from mails")
    assert row[0] == ANN
    assert token.rpartition(".")[2] not in row[1]
