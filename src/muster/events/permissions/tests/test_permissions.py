"""What one may do with an event is told as the verbs decide it: for everybody, in every phase."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster.events.commands.finding import _REFUSALS
from muster.events.permissions.views import REFUSALS
from muster.events.rules import MAY, Phase, Ruling, Who
from muster.kit.views.tests.oracle_permissions import refusal
from muster.testing.below import change
from muster.testing.client import Way
from muster.testing.people import Standing
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

_COMMUNITY = "update members set role = $1 where user_id = $2 and tenant_id = $3"
_ROLE = """
insert into custom_roles (tenant_id, id, slug, name, colour, base, additions, removals, created_at, updated_at)
values ($1, gen_random_uuid(), $2, 'R', '#000000', $3, $4, $5, now(), now())
"""
_PHASES = {
    Phase.DRAFT: "status = 'DRAFT', publish_at = null, cancelled_at = null, ends_at = now() + interval '1 day'",
    Phase.PUBLISHED: "status = 'PUBLISHED', cancelled_at = null, ends_at = now() + interval '1 day'",
    Phase.OVER: "status = 'PUBLISHED', cancelled_at = null, ends_at = now() - interval '1 minute'",
    Phase.CANCELLED: "status = 'CANCELLED', cancelled_at = now() - interval '29 days', ends_at = now() + interval '1 day'",
}
_STANDINGS = {
    Standing.OWNER: {Who.OWNER},
    Standing.MODERATOR: {Who.MODERATOR},
    Standing.MEMBER: {Who.PARTICIPANT},
}


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def test_the_codes_are_those_that_the_verbs_refuse_with() -> None:
    assert {ruling: each.code for ruling, each in _REFUSALS.items()} == {
        ruling: code for ruling, code in REFUSALS.items() if ruling != Ruling.DONE
    }


def _expected(where: Phase, as_what: set[Who]) -> dict[str, str | None]:
    """What the verbs would say to each deed, of an event in which others are."""
    now = datetime.now(UTC)
    event = {
        "status": "PUBLISHED" if where == Phase.OVER else where.value,
        "ends_at": now - timedelta(minutes=1) if where == Phase.OVER else now + timedelta(days=1),
        "cancelled_at": now - timedelta(days=29) if where == Phase.CANCELLED else None,
    }
    return {deed.value: refusal(deed, event, frozenset(as_what), had_members=True) for deed in MAY}


async def _put_into(town: Town, where: Phase) -> None:
    """Bring the town's event into a phase of its life, without anybody's doing."""
    begun = "starts_at = now() - interval '2 hours'"
    changed = f"update events set {_PHASES[where]}, {begun} where id = $1"  # noqa: S608 - our own words
    await change(town.service.urls, changed, town.event_id)


async def _told(town: Town, standing: Standing, way: Way = Way.REST) -> Any:
    return (await town.client(standing).call("eventPermissions", way=way, id=town.event_id)).data


@pytest.mark.parametrize("where", _PHASES)
async def test_every_deed_in_every_phase_is_as_the_rules_have_it(town: Town, where: Phase) -> None:
    await _put_into(town, where)
    for standing, as_what in _STANDINGS.items():
        found = await _told(town, standing)
        if where == Phase.DRAFT and standing == Standing.MEMBER:
            assert found is None
            continue
        assert set(found["roles"]) == as_what
        assert found["deeds"] == _expected(where, as_what)
        assert (found["sharedAt"] is not None) == (standing != Standing.MEMBER)


@pytest.mark.parametrize(
    ("role", "parts", "held"),
    [
        ("participant", None, set()),
        ("moderator", None, {Who.COMMUNITY_MODERATOR}),
        ("admin", None, {Who.COMMUNITY_MODERATOR, Who.COMMUNITY_ADMIN}),
        ("participant", ("moderator", [], []), {Who.COMMUNITY_MODERATOR}),
        ("participant", ("moderator", ["event:manage"], ["event:moderate"]), {Who.COMMUNITY_ADMIN}),
        ("participant", ("participant", ["event:manage"], ["event:manage"]), set()),
    ],
)
async def test_what_the_community_gives_counts(
    town: Town, role: str, parts: tuple[str, list[str], list[str]] | None, held: set[Who]
) -> None:
    await _put_into(town, Phase.PUBLISHED)
    slug = role
    if parts is not None:
        slug = f"made_{parts[0]}_{len(parts[1])}_{parts[2][0][6:] if parts[2] else 'all'}"
        await change(town.service.urls, _ROLE, town.tenant_id, slug, *parts)
    person = town.people[Standing.OUTSIDER].user_id
    await change(town.service.urls, _COMMUNITY, slug, person, town.tenant_id)
    for way in Way:
        found = await _told(town, Standing.OUTSIDER, way)
        assert set(found["roles"]) == held
        assert found["deeds"] == _expected(Phase.PUBLISHED, held)
