"""Verification: whoever changes the log below everything that guards it is found out, and where."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio

from muster.audit.verifying import Kind, Report
from muster.kit.db.migrate import Urls
from muster.kit.work.schedule import tick
from muster.testing.auditing import SOON, as_worker, found, looking, tampering, verified_by
from muster.testing.below import ask
from muster.testing.people import Standing
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Log:
    """A town's log: three seals, with a checkpoint behind the first.

    row_id: of a row in the second seal. ends: MACs of the seals by their numbers.
    """

    urls: Urls
    tenant_id: UUID
    secret: str
    row_id: UUID
    ends: dict[int, str]

    async def after(self, *changes: str, ends: dict[int, str] | None = None) -> tuple[Report, list[str]]:
        """What verification finds after changes as the tables' owner, and how many rows each touched.

        changes: SQL; `:tenant` and `:row` stand for the ids, `:seal` for the number of one of its seals. ends: kept elsewhere.
        """
        async with tampering(self.urls) as owner:
            done = [await owner.execute(self._filled(each)) for each in changes]
            return await verified_by(looking(owner), self.secret, self.tenant_id, ends=ends), done

    def _filled(self, change: str) -> str:
        given = {
            ":seal": "tenant_id = :tenant and number",
            ":tenant": f"'{self.tenant_id}'",
            ":row": f"'{self.row_id}'",
        }
        for name, value in given.items():
            change = change.replace(name, value)
        return change


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def log(module_town: Town) -> AsyncIterator[Log]:
    """A log in which something was sealed three times."""
    town, now = module_town, datetime.now(UTC)
    urls, outsider = town.service.urls, town.people[Standing.OUTSIDER].client
    async with as_worker(urls) as worker:
        await tick(worker, now)
        for number in (1, 2):
            (await outsider.call("joinEvent", eventId=town.event_id)).ok()
            (await outsider.call("leaveEvent", eventId=town.event_id)).ok()
            await tick(worker, now + number * SOON)
        secret = worker.settings.security.jwt_secret
    seals = await ask(
        urls, "select number, mac, entries from audit_seals where tenant_id = $1 order by number", town.tenant_id
    )
    assert [row[0] for row in seals] == [1, 2, 3]
    yield Log(urls, town.tenant_id, secret, UUID(bytes=seals[1][2][:16]), {row[0]: row[1].hex() for row in seals})


_ROW = "update audit_rows set {} where id = :row"
EDITED, MISSING, CHANGED = Kind.ROW_EDITED, Kind.SEAL_MISSING, Kind.SEAL_CHANGED
_TAMPERED: dict[str, tuple[list[str], set[tuple[Kind, int | None]]]] = {
    "nothing": ([], set()),
    "a verb": ([_ROW.format("verb = 'kickMember'")], {(EDITED, None)}),
    "who did it": ([_ROW.format("actor_id = gen_random_uuid()")], {(EDITED, None)}),
    "as whom": ([_ROW.format("acted_as = gen_random_uuid()")], {(EDITED, None)}),
    "when": ([_ROW.format("at = at - interval '1 day'")], {(EDITED, None)}),
    "an outcome": ([_ROW.format("outcome = 'FORBIDDEN'")], {(EDITED, None)}),
    "what changed": ([_ROW.format("changes = '[]'")], {(EDITED, None)}),
    "an address": ([_ROW.format("address = '192.0.2.1'")], {(EDITED, None)}),
    "half of what may be taken away": ([_ROW.format("address = null, agent = null, changes = null")], {(EDITED, None)}),
    "all that may be taken away": ([_ROW.format("address = null, agent = null, changes = null, salt = null")], set()),
    "its chain": ([_ROW.format("chain = 'MONEY'")], {(EDITED, None)}),
    "a removed row": (["delete from audit_rows where id = :row"], {(Kind.ROW_REMOVED, None)}),
    "a row of another time": (
        ["update audit_rows set id = gen_random_uuid() where id = :row"],
        {(Kind.ROW_REMOVED, None), (Kind.ROW_INSERTED, 0)},
    ),
    "a row put in": (
        [
            (
                "insert into audit_rows (tenant_id, id, at, actor_kind, verb, outcome, request_id) "
                "select tenant_id, gen_random_uuid(), at, actor_kind, verb, outcome, request_id from audit_rows where id = :row"
            )
        ],
        {(Kind.ROW_INSERTED, 0)},
    ),
    "rows in another order": (
        ["update audit_seals set entries = substr(entries, 81) || substr(entries, 1, 80) where :seal = 2"],
        {(CHANGED, 2)},
    ),
    "a row removed with its entry": (
        [
            "delete from audit_rows where id = :row",
            "update audit_seals set entries = substr(entries, 81) where :seal = 2",
        ],
        {(CHANGED, 2), (CHANGED, 3)},
    ),
    "the time of a seal": (["update audit_seals set at = at + interval '1 s' where :seal = 2"], {(CHANGED, 2)}),
    "the MAC of a seal": (
        ["update audit_seals set mac = sha256(mac) where :seal = 2"],
        {(CHANGED, 2), (CHANGED, 3)},
    ),
    "the key of a seal": (["update audit_seals set key_id = 'mine' where :seal = 2"], {(Kind.UNKNOWN_KEY, 2)}),
    "two seals in another order": (
        [
            "update audit_seals set number = 9 where :seal = 2",
            "update audit_seals set number = 2 where :seal = 3",
            "update audit_seals set number = 3 where :seal = 9",
        ],
        {(CHANGED, 2), (CHANGED, 3)},
    ),
    "a seal that is gone": (
        ["delete from audit_seals where :seal = 2"],
        {(MISSING, 2), (Kind.ROW_INSERTED, None), (Kind.ROW_INSERTED, 0)},
    ),
    "a beginning that is gone": (
        [
            "delete from audit_rows where tenant_id = :tenant and at <= (select at from audit_seals where :seal = 1)",
            "delete from audit_seals where :seal = 1",
        ],
        {(Kind.FORGOTTEN_TOO_SOON, 1)},
    ),
    "a beginning that is gone with its checkpoint": (
        ["delete from audit_seals where :seal = 1", "delete from audit_checkpoints where tenant_id = :tenant"],
        {(MISSING, 1), (Kind.ROW_INSERTED, 0)},
    ),
    "a checkpoint": (
        ["update audit_checkpoints set rows = rows - 1 where tenant_id = :tenant"],
        {(Kind.CHECKPOINT_CHANGED, 1)},
    ),
    "another tenant's seal": (
        [
            (
                "update audit_seals set entries = (select entries from audit_seals where tenant_id <> :tenant limit 1) "
                "where :seal = 3"
            )
        ],
        {(CHANGED, 3), (Kind.ROW_INSERTED, 0), (Kind.ROW_REMOVED, 0)},
    ),
}


@pytest.mark.parametrize("tampered", _TAMPERED.values(), ids=_TAMPERED.keys())
async def test_what_was_tampered_with_is_named(
    log: Log, tampered: tuple[list[str], set[tuple[Kind, int | None]]]
) -> None:
    changes, expected = tampered
    report, done = await log.after(*changes)
    assert all(not each.endswith(" 0") for each in done), "the change must have changed something"
    assert {
        (kind, where if isinstance(where, int) else None if where == log.row_id else 0) for kind, where in found(report)
    } == expected


async def test_an_end_that_was_kept_elsewhere_shows_what_was_cut_off_behind_it(log: Log) -> None:
    cut = (
        (
            "delete from audit_rows where id in (select encode(substr(entries, 80 * n + 1, 16), 'hex')::uuid from audit_seals, "
            "generate_series(0, length(entries) / 80 - 1) as n where :seal = 3)"
        ),
        "delete from audit_seals where :seal = 3",
    )
    unnoticed, _ = await log.after(*cut)
    assert unnoticed.breaks == []
    noticed, _ = await log.after(*cut, ends={3: log.ends[3]})
    assert found(noticed) == {(MISSING, 3)}
    whole, _ = await log.after(ends={2: log.ends[2], 3: log.ends[3]})
    assert whole.breaks == []


async def test_a_chain_that_somebody_else_sealed_is_not_ours(log: Log) -> None:
    async with tampering(log.urls) as owner:
        report = await verified_by(looking(owner), "another secret of another deployment", log.tenant_id)
    assert {each.kind for each in report.breaks} == {Kind.UNKNOWN_KEY}
