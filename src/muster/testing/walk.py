"""A walk through every endpoint of a town: what each call answers, and what it leaves behind."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from muster.kit.commands.command import COMMANDS
from muster.kit.views.query import QUERIES
from muster.testing.below import maintenance, snapshot_over
from muster.testing.client import Answer, Way, endpoint
from muster.testing.matrix import examples, places, required
from muster.testing.people import Standing
from muster.testing.serving import Service
from muster.testing.thoroughness import in_turn
from muster.testing.town import Town, moved

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
# What is random or holds ids or moments inside.
_OPAQUE = re.compile(
    r'"(accessToken|deviceCode|refreshToken|endCursor|userCode|verificationUriComplete)": "[^"]*"|'
    r'"(token|key|url|secret|uri|qr|options)": "(\\.|[^"])*"|"codes": \[[^]]*\]|"code": "[A-Za-z0-9]{10}"|'
    r"[0-9a-f]{32}@example\.org|((town|name)-|role_|[Ww]ord )[0-9a-f]{12}"
)
# They end the caller's membership, session or account, so they come last.
_LAST = ("leaveTenant", "logout", "logoutEverywhere", "deleteAccount")


@dataclass(frozen=True)
class Outcome:
    """One call: its answer with ids and moments blanked, the tables it changed, what the audit log says of it."""

    call: str
    code: str | None
    body: str
    changed: tuple[str, ...]
    audited: tuple[str, ...]


def _calls(town: Town, standing: Standing) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every endpoint, on events of the town and about its people.

    Each is called on the published event, and on the hidden one, the draft or none, and about one person: which these
    are differs between callers, so that together they try all, and from day to day; see `in_turn`.
    """
    others = (town.hidden_id, town.draft_id, UUID(int=0))
    people = (town.people[Standing.MEMBER], town.waiting, town.kicked, town.people[Standing.OWNER])
    names = [name for name in (*QUERIES, *COMMANDS) if name not in _LAST]
    for number, name in enumerate((*names, *_LAST), list(Standing).index(standing)):
        declared = endpoint(name)
        keys = {place.path for place in places(declared)}
        events = [town.event_id, *in_turn(others, number, 1)]
        for event_id in events if keys & {"id", "eventId"} else [None]:
            for person in in_turn(people, number, 1) if "userId" in keys else [None]:
                # An id that the town has nothing for names nothing.
                unknown = [place.path for place in places(declared) if required(declared, place)]
                given = examples(declared) | dict.fromkeys(unknown, UUID(int=0))
                given |= dict.fromkeys(keys & {"id", "eventId"}, event_id) | _messages(town, keys)
                given |= dict.fromkeys(keys & {"tenantId"}, town.tenant_id)
                yield name, given | ({} if person is None else {"userId": person.user_id})


def _messages(town: Town, keys: set[str]) -> dict[str, UUID]:
    """Where an endpoint takes a message of an event: beside an event's id, `id` is a message's."""
    return dict.fromkeys(keys & {"id", "messageId"}, town.message_id) if "eventId" in keys else {}


async def walk(model: Town, service: Service, way: Way, standing: Standing) -> list[Outcome]:
    """Call every endpoint one after the other. model: the town that the service's database is a copy of.

    Raises AssertionError when a read changes something; which tables a command changes is told with its outcome.
    """
    town = moved(model, service)
    client = town.client(standing)
    calls = list(_calls(town, standing))
    reads = [call for call in calls if call[0] in QUERIES]
    outcomes: list[Outcome] = []
    async with maintenance(service.urls) as below:
        before = await snapshot_over(below)
        for name, given in reads:
            answer = await client.call(name, way=way, **given)
            outcomes.append(Outcome(f"{len(outcomes)} {name}", *_comparable(answer), (), ()))
        assert await snapshot_over(below) == before, "one of the reads has changed something"
        for name, given in calls[len(reads) :]:
            answer = await client.call(name, way=way, **given)
            after = await snapshot_over(below)
            changed = tuple(table for table in before if before[table] != after[table])
            rows = [json.loads(row) for row in after["audit_rows"] if row not in before["audit_rows"]]
            audited = tuple(f"{row['verb']} {row['outcome']}" for row in rows)
            outcomes.append(Outcome(f"{len(outcomes)} {name}", *_comparable(answer), changed, audited))
            before = after
    return outcomes


def _comparable(answer: Answer) -> tuple[str | None, str]:
    if answer.missing:
        # REST has a status for what is not there, GraphQL has null.
        return "NOT_FOUND", ""
    text = json.dumps([answer.data, answer.problem], sort_keys=True)
    return answer.code, _OPAQUE.sub("<opaque>", _MOMENT.sub("<moment>", _ID.sub("<id>", text)))
