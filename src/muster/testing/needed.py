"""What lets a role cross tenants is needed: without it rows are seen, work is not done, or a search finds nothing."""

import json
from datetime import UTC, datetime, timedelta

from muster.testing.below import ask, value
from muster.testing.people import Standing, sign_in
from muster.testing.rows import isolated_tables, row_violations
from muster.testing.serving import Service
from muster.testing.town import Town
from muster.testing.work import working

_WORK_SECONDS = 4.0
WRITTEN_BY_WORKER = ["notifications", "mails"]
"""Tables that have no rows before the worker has run; all others have."""


async def violations_below(service: Service, victim: Town, intruder: Town, slug: str) -> list[str]:
    """What is wrong below the endpoints: rows that are seen, work that is not done, a search that finds nothing.

    slug: the victim's.
    """
    urls = service.urls
    # The outbox is not empty yet, and nobody was told anything yet.
    tables = [table for table in isolated_tables() if table not in WRITTEN_BY_WORKER]
    if found := await row_violations(victim, intruder, tables=tables):
        return found
    # What the work itself writes may still wait when it is done.
    unsealed = [row[0] for row in await ask(urls, "select id from audit_unsealed")]
    try:
        async with working(urls) as work:
            if await work.number("select count(*) from finders.tenants_with_tally_changes()") < 2:
                return ["nobody looks for what was changed on the map"]
            await work.quiet(seconds=_WORK_SECONDS)
            await work.pass_to(datetime.now(UTC) + timedelta(hours=25))
    except TimeoutError:
        return ["the worker cannot do the work there is"]
    if await value(urls, "select count(*) from facts where position is null"):
        return ["the sequencer passed over facts"]
    if await value(urls, "select count(*) from rooms where last_sequence > 0 and notice_due_at is not null"):
        return ["nobody looks for what is due"]
    if await value(urls, "select count(*) from event_members where offer_expires_at is not null"):
        return ["nobody takes back places that were offered in vain"]
    if await value(urls, "select count(*) from idempotency_keys"):
        return ["nobody forgets old idempotency keys"]
    if await value(urls, "select count(*) from job_steps"):
        return ["steps of jobs that have ended are not forgotten"]
    if await value(urls, "select count(*) from audit_unsealed where id = any($1)", unsealed):
        return ["the sealer passed over rows of the audit log"]
    found = await row_violations(victim, intruder, tables=WRITTEN_BY_WORKER)
    return found + await _searched_in_vain(service, victim, slug)


async def _searched_in_vain(service: Service, victim: Town, slug: str) -> list[str]:
    """What finders should find, and do not."""
    found: list[str] = []
    searched = await victim.client(Standing.MEMBER).call("events", filter={"text": slug})
    if str(victim.event_id) not in json.dumps(searched.data):
        found.append("text search does not find what is there")
    mistyped = await victim.client(Standing.MEMBER).call("events", filter={"text": "an eveening"})
    if str(victim.event_id) not in json.dumps(mistyped.data):
        found.append("mistyped words are not spelled by the titles that are there")
    if not (await victim.client(Standing.MEMBER).call("topics", filter={"text": "evenings"})).ok()["items"]:
        found.append("nobody finds the categories of their own community")
    outside = (await sign_in(service, f"{slug} owner")).client
    if (await outside.call("tenant", id=victim.tenant_id)).missing:
        found.append("nobody finds their own community from outside")
    return found
