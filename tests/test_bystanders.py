"""Every command that asks for no permission, tried on what others have by who has no part in it.

They hold all that a community's own role can give but what commands ask for by themselves: to run events and teams of
others. So what is refused here is refused to everybody whom the table of permissions does not let in.
"""

from functools import partial
from itertools import islice, product
from typing import Any
from uuid import UUID

from muster.access.roles import EVENT_MANAGE, EVENT_MODERATE, TEAM_MANAGE
from muster.kit.caller import anyone, whoever
from muster.kit.commands.command import COMMANDS, Command
from muster.testing.below import ask, change, snapshot
from muster.testing.matrix import Place, examples, of_tenant, places, required, tables_with
from muster.testing.people import put_role, sign_in
from muster.testing.thoroughness import as_much_as
from muster.testing.town import Town

_RUN_OTHERS = (EVENT_MANAGE, EVENT_MODERATE, TEAM_MANAGE)
_COMBINATIONS = as_much_as(6, thoroughly=60)
"""Of the ids that fit the places of one command, how many are tried."""
_NEEDED = {"inviteToEvent": {"email": "somebody@example.org"}}
"""What a command needs besides its example, before it looks who asks."""
_NOTHING_THERE = {"deleteNotification", "endImpersonation", "markNotificationRead", "markNotificationUnread"}
"""What the town has no rows for: nobody acts as somebody there, and nobody has been told anything."""
THEIR_OWN = {
    *("joinTenant", "cancelJoinRequest", "joinEvent", "leaveEvent", "acceptOffer", "eventTicket", "checkInMyself"),
    *("keepEvent", "dropEvent", "starUser", "unstarUser", "followUser", "unfollowUser", "blockUser", "unblockUser"),
    "askToJoinTeam",
}
"""What whoever sees an event, a team, a community or a person does for themselves: it changes nobody's but their own."""


async def _fitting(town: Town, declared: Command, known: dict[str, set[UUID]], place: Place) -> list[UUID]:
    """The ids of the town's rows that fit a place. known: those that were looked up, by table and column."""
    found: set[UUID] = set()
    for table, column in tables_with(declared, place):
        question = f"select {column} from {table.name} where {of_tenant(table)} and {column} is not null"  # noqa: S608 - our own names
        if question not in known:
            rows = await ask(town.service.urls, question, town.tenant_id)
            known[question] = {UUID(int=row[0].int) for row in rows}
        found |= known[question]
    return sorted(found)


async def _tries(town: Town) -> dict[str, list[dict[str, Any]]]:
    """By command, arguments that name what others have."""
    known: dict[str, set[UUID]] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, declared in COMMANDS.items():
        wanted = [place for place in places(declared) if required(declared, place)]
        if not wanted or declared.permission is not None or declared.allow in (anyone, whoever):
            continue
        fitting = partial(_fitting, town, declared, known)
        found[name] = []
        for ids in islice(product(*[await fitting(place) for place in wanted]), _COMBINATIONS):
            given = examples(declared) | _NEEDED.get(name, {})
            for place, each in zip(wanted, ids, strict=True):
                given = place.put(given, each)
            found[name].append(given)
    return found


async def test_who_has_no_part_in_it_changes_nothing_of_others_by_any_command(town: Town) -> None:
    urls, tries = town.service.urls, await _tries(town)
    assert tries.keys() > THEIR_OWN
    assert {"updateEvent", "kickMember", "updateTeam", "removePasskey", "revokeSession", "cancelSeries"} <= tries.keys()
    assert {name for name, each in tries.items() if not each} == _NOTHING_THERE
    bystander = await sign_in(town.service, "bystander")
    await put_role(town.service, town.tenant_id, "clerk", base="admin", remove=_RUN_OTHERS)
    await change(urls, "update members set role = 'clerk' where user_id = $1", bystander.user_id)
    await change(urls, "update sessions set proved_at = now() where user_id = $1", bystander.user_id)
    before = await snapshot(urls, without=["audit_rows", "audit_unsealed"])
    let_in = []
    for name in tries.keys() - THEIR_OWN:
        for given in tries[name]:
            answer = await bystander.client.call(name, **given)
            if answer.status not in (403, 404):
                let_in.append((name, given, answer))
    assert let_in == []
    assert await snapshot(urls, without=["audit_rows", "audit_unsealed"]) == before


async def test_what_one_does_for_oneself_is_refused_or_done_without_a_permission() -> None:
    """The list holds no verb that has gone, nor one that meanwhile asks for a permission."""
    assert {name for name in THEIR_OWN if name not in COMMANDS or COMMANDS[name].permission is not None} == set()
