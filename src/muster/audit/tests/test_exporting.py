"""The audit log, taken along in parts, verified over the API, and read by whom it is about; money's rows are kept longest."""

import csv
import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.audit import commands
from muster.audit.keeping import kept_for
from muster.kit.commands.command import COMMANDS
from muster.kit.commands.tables import AuditChain
from muster.kit.db.database import Database
from muster.kit.sources import SettingError
from muster.testing.auditing import as_worker, seal
from muster.testing.below import ask, change
from muster.testing.client import Client, Way
from muster.testing.people import Standing, give_role
from muster.testing.serving import settings_for
from muster.testing.town import Town


async def admin_of(town: Town) -> Client:
    """Somebody who may read and export the log."""
    await give_role(town.service, town.people[Standing.OWNER], town.tenant_id, "admin")
    return town.client(Standing.OWNER)


async def whole(client: Client, way: Way, **given: object) -> tuple[str, int]:
    """An export, part by part: its text, and how many parts it came in."""
    found: Any = (await client.call("exportAudit", way=way, **given)).ok()
    text, parts = found["text"], 1
    while found["hasNextPage"]:
        found = (await client.call("exportAudit", way=way, after=found["endCursor"], **given)).ok()
        text, parts = text + found["text"], parts + 1
    return text, parts


@pytest.mark.parametrize("way", Way)
async def test_an_export_holds_every_row_once_also_in_parts(
    town: Town, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST", 7)
    admin = await admin_of(town)
    every = "select id::text from audit_rows where tenant_id = $1 order by at, id"
    expected = [row[0] for row in await ask(town.service.urls, every, town.tenant_id)]
    assert len(expected) > 14
    text, parts = await whole(admin, way, format="JSONL")
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["id"] for row in rows] == expected
    assert parts > 2
    table = list(csv.DictReader(io.StringIO((await whole(admin, way, format="CSV"))[0])))
    # The first export has left rows of its own, one for each part.
    assert [row["id"] for row in table][: len(expected)] == expected
    assert [row["verb"] for row in table][len(expected) :] == ["exportAudit"] * parts
    half = rows[len(rows) // 2]["at"]
    later = [json.loads(line) for line in (await whole(admin, way, since=half))[0].splitlines()]
    assert min(row["at"] for row in later) >= half
    cursor: Any = (await admin.call("exportAudit", format="CSV")).ok()
    wrong = await admin.call("exportAudit", way=way, format="JSONL", after=cursor["endCursor"])
    assert (wrong.code, "after" in str(wrong.problem)) == ("BAD_USER_INPUT", True)


async def test_no_cell_of_an_export_is_a_formula(town: Town) -> None:
    admin = await admin_of(town)
    await admin.service.http.get("/api/v1/me", headers={"authorization": "Bearer x"})
    request = admin.request("muteEvent", {"eventId": str(town.event_id), "muted": True})
    request.headers["user-agent"] = "=HYPERLINK(1)"
    assert (await admin.service.http.send(request)).status_code == 200
    [row] = [
        row
        for row in csv.DictReader(io.StringIO((await whole(admin, Way.REST, format="CSV"))[0]))
        if row["verb"] == "muteEvent"
    ]
    assert row["agent"] == "'=HYPERLINK(1)"


async def test_only_who_may_takes_the_log_along(town: Town) -> None:
    for name in ("exportAudit", "verifyAudit"):
        assert (await town.client(Standing.MODERATOR).call(name)).code == "FORBIDDEN"
    await give_role(town.service, town.people[Standing.MEMBER], town.tenant_id, "inspector")
    inspector = town.client(Standing.MEMBER)
    assert (await inspector.call("exportAudit")).code == "FORBIDDEN"
    (await inspector.call("verifyAudit")).ok()


@pytest.mark.parametrize("way", Way)
async def test_an_inspector_sees_that_a_row_was_changed(town: Town, way: Way) -> None:
    admin, urls = await admin_of(town), town.service.urls
    async with as_worker(urls) as worker:
        await seal(worker, town.tenant_id)
        (await admin.call("muteEvent", eventId=town.event_id, muted=True)).ok()
        await seal(worker, town.tenant_id)
    clean: Any = (await admin.call("verifyAudit", way=way)).ok()
    assert (clean["breaks"], clean["isWhole"], clean["seals"]) == ([], True, 2)
    assert clean["rows"] > 10
    assert len(clean["mac"]) == 64
    newer: Any = (await admin.call("verifyAudit", way=way, after=1)).ok()
    assert (newer["breaks"], newer["isWhole"], newer["seals"], newer["number"]) == ([], True, 1, 2)
    for done in ("disable", "enable"):
        await change(urls, f"alter table audit_rows {done} trigger audit_rows_guarded")
        if done == "disable":
            await change(urls, "update audit_rows set outcome = 'done!' where verb = 'muteEvent'")
    found: Any = (await admin.call("verifyAudit", way=way)).ok()
    assert [each.split()[-1] for each in found["breaks"]] == ["(ROW_EDITED)"]


@pytest.mark.parametrize("way", Way)
async def test_people_see_what_they_did_and_what_staff_did_as_them(town: Town, way: Way) -> None:
    member, urls = town.people[Standing.MEMBER], town.service.urls
    await change(
        urls,
        "insert into audit_rows (tenant_id, id, at, actor_kind, actor_id, acted_as, verb, outcome, address, agent, request_id) "
        "values ($1, uuidv7(), now(), 'person', $2, $3, 'joinEvent', 'done', '192.0.2.1', 'Their browser', 'r')",
        town.tenant_id,
        town.people[Standing.OWNER].user_id,
        member.user_id,
    )
    found: Any = (await member.client.call("myAuditEntries", way=way, first=100)).ok()
    items = found["items"] if "items" in found else found["nodes"]
    own = "select count(*) from audit_rows where tenant_id = $1 and $2 in (actor_id, acted_as)"
    assert [(len(items),)] == await ask(urls, own, town.tenant_id, member.user_id)
    by_staff, *rest = items
    assert (by_staff["verb"], by_staff["address"], by_staff["agent"]) == ("joinEvent", None, None)
    assert all(each["address"] is not None for each in rest)


async def test_rows_about_money_are_kept_in_a_chain_of_their_own(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    member = town.client(Standing.MEMBER)
    for is_money in (False, True):
        monkeypatch.setitem(COMMANDS["muteEvent"].__dict__, "money", is_money)
        (await member.call("muteEvent", eventId=town.event_id, muted=is_money)).ok()
    chains = "select chain from audit_rows where verb = 'muteEvent' order by at"
    assert [row[0] for row in await ask(town.service.urls, chains)] == ["USUAL", "MONEY"]


async def test_how_long_rows_are_kept_depends_on_the_kind_of_community(town: Town) -> None:
    urls = town.service.urls
    await change(urls, "update tenants set kind = 'SCHOOL' where id = $1", town.tenant_id)
    settings = settings_for(urls, MUSTER_AUDIT_DAYS="100", MUSTER_AUDIT_DAYS_OF="SCHOOL=365 CLUB=200")
    database = await Database.open(urls.worker, size=1)
    try:
        for tenant_id, chain, days in (
            (town.tenant_id, AuditChain.USUAL, 365),
            (town.tenant_id, AuditChain.MONEY, 7 * 366),
            (UUID(town.client(Standing.OTHER_TENANT).tenant), AuditChain.USUAL, 100),
        ):
            async with database.transaction(tenant_id) as tx:
                assert await kept_for(tx, tenant_id, chain, settings) == timedelta(days=days)
        unknown = settings_for(urls, MUSTER_AUDIT_DAYS_OF="ZOO=365")
        async with database.transaction(town.tenant_id) as tx:
            with pytest.raises(SettingError, match="ZOO"):
                await kept_for(tx, town.tenant_id, AuditChain.USUAL, unknown)
    finally:
        await database.close()
    for wrong in ("SCHOOL=89", "SCHOOL=732", "SCHOOL", "school=365"):
        with pytest.raises(SettingError, match="MUSTER_AUDIT_DAYS_OF"):
            settings_for(urls, MUSTER_AUDIT_DAYS_OF=wrong)
