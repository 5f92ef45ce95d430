"""Every endpoint that asks for a permission, tried as every role: nobody gets past more than the table of permissions says."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from muster.access.gate import GATE
from muster.access.roles import BASES, OWNER, PLATFORM_ALONE, ROLES, STAFF, effective
from muster.identity.commands import token_keys
from muster.kit.caller import Bearer, Caller, Claim, Origin, Permission, read_caller, whoever
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.db.database import Database
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.errors import AppError
from muster.kit.ids import new_id
from muster.kit.views.query import QUERIES, Query
from muster.testing.below import change, snapshot, value
from muster.testing.client import Client
from muster.testing.matrix import examples, places, required
from muster.testing.people import found_tenant, put_in_tenant, put_role, sign_in
from muster.testing.serving import Service

_ENDPOINTS: dict[str, Command | Query] = {**COMMANDS, **QUERIES}
GUARDED = {name: each for name, each in _ENDPOINTS.items() if each.permission is not None}
CUSTOM = ("participant", ["audit:read", "member:remove"], ["event:create"])
"""The role of a community's own: base, additions, removals."""


@dataclass(frozen=True)
class Hall:
    """A community with a member of every role.

    clients, claims: by role; the staff's is in the platform's own tenant. holds: what the table says.
    """

    service: Service
    clients: dict[str, Client]
    claims: dict[str, Claim]
    holds: dict[str, frozenset[Permission]]


@pytest.fixture
async def hall(service: Service) -> Hall:
    founder = await sign_in(service, "owner")
    tenant_id = await found_tenant(founder, "hill-valley")
    await put_role(service, tenant_id, "warden", base=CUSTOM[0], add=CUSTOM[1], remove=CUSTOM[2])
    holds = {role: ROLES[role] for role in (OWNER, *sorted(BASES), STAFF)} | {"warden": effective(*CUSTOM)}
    people = {role: await sign_in(service, role) for role in holds}
    where = {role: PLATFORM_TENANT if role == STAFF else tenant_id for role in holds}
    for role, person in people.items():
        if role != OWNER:
            await put_in_tenant(service, person, where[role], role=role)
    await change(service.urls, "update sessions set proved_at = now()")
    clients = {role: person.client.in_tenant(where[role]) for role, person in people.items()}
    keys, now = token_keys(service.settings.security), datetime.now(UTC)
    claims = {}
    for role, client in clients.items():
        identity = keys.read(str(client.token), now)
        assert identity is not None
        claims[role] = Claim(where[role], identity.user_id, identity.session_id)
    return Hall(service, clients, claims, holds)


def _arguments(declared: Command | Query) -> dict[str, Any]:
    given = examples(declared)
    for place in places(declared):
        if required(declared, place):
            given = place.put(given, new_id())
    return given


def test_there_is_something_to_try() -> None:
    asked = {each.permission for each in GUARDED.values()}
    assert {"event:create", "role:create", "role:assign", "user:impersonate"} <= asked


async def test_who_lacks_the_permission_is_refused_and_changes_nothing(hall: Hall) -> None:
    before = await snapshot(hall.service.urls, without=["audit_rows", "audit_unsealed"])
    for role, client in hall.clients.items():
        for name, declared in GUARDED.items():
            if declared.permission in hall.holds[role]:
                continue
            refused = await client.call(name, **_arguments(declared))
            assert (refused.status, refused.code) == (403, "FORBIDDEN"), (role, name, refused)
            assert refused.problem["permission"] == declared.permission, (role, name)
    assert await snapshot(hall.service.urls, without=["audit_rows", "audit_unsealed"]) == before


async def test_the_gate_lets_every_role_do_just_what_the_table_says(hall: Hall) -> None:
    """By the database's own answer for each caller, and the declaration of each endpoint."""
    database = await Database.open(hall.service.urls.app, size=1)
    try:
        for role, claim in hall.claims.items():
            caller = await _looked_up(database, claim)
            assert caller is not None
            assert GATE.permissions(caller) == hall.holds[role]
            for name, declared in GUARDED.items():
                told = _refusal(declared, claim, caller)
                expected = None if declared.permission in hall.holds[role] else "FORBIDDEN"
                assert told == expected, (role, name)
    finally:
        await database.close()


async def _looked_up(database: Database, claim: Claim) -> Caller | None:
    question = GATE.question_with_proof
    values = Origin(claim, datetime.now(UTC), "test").values()
    row = await database.row(question.text, question.arguments(values))
    return None if row is None else read_caller(row[1])


def _refusal(declared: Command | Query, claim: Claim, caller: Caller) -> str | None:
    try:
        if isinstance(declared, Command):
            declared.admit(GATE, claim, caller)
        else:
            GATE.admit(claim, caller, declared.allow, declared.permission)
    except AppError as error:
        return error.code
    return None


async def test_who_acts_as_somebody_may_do_what_they_may_and_nothing_that_is_theirs_alone(hall: Hall) -> None:
    """As the owner, who holds all that a community gives: more than that nobody can reach by acting as somebody."""
    database = await Database.open(hall.service.urls.app, size=1)
    owner, staff = hall.claims[OWNER], hall.claims[STAFF]
    impersonation_id = await value(
        hall.service.urls,
        "insert into impersonations (id, staff_id, user_id, community_id, session_id, why, ticket, started_at, expires_at) "
        "values (uuidv7(), $1, $2, $3, $4, 'They asked', 'S', now(), now() + interval '1 hour') returning id",
        staff.user_id,
        owner.user_id,
        owner.tenant_id,
        staff.session_id,
    )
    claim = msgspec.structs.replace(owner, session_id=UUID(int=impersonation_id.int), by=staff.user_id)
    try:
        caller = await _looked_up(database, claim)
        assert caller is not None
        assert caller.session
        assert not caller.proved
        assert not GATE.permissions(caller) & PLATFORM_ALONE
        for name, declared in COMMANDS.items():
            if declared.allow is not whoever and declared.in_person:
                assert _refusal(declared, claim, caller) == "ONLY_IN_PERSON", name
    finally:
        await database.close()
    assert owner.user_id is not None
    bearer = Bearer(owner.user_id, UUID(int=impersonation_id.int), by=staff.user_id, tenant_id=owner.tenant_id)
    now = datetime.now(UTC)
    token = token_keys(hall.service.settings.security).sign_for(bearer, now=now, expires_at=now + timedelta(hours=1))
    client = Client(hall.service, token)
    for name in (each for each in GUARDED if GUARDED[each].permission in PLATFORM_ALONE):
        assert (await client.call(name, **_arguments(GUARDED[name]))).code in ("ONLY_IN_PERSON", "FORBIDDEN"), name


_CREDENTIALS = (
    "password",
    "email",
    "session",
    "factor",
    "totp",
    "passkey",
    "backup",
    "key",
    "account",
    "export",
    "logout",
)


def test_no_credential_is_within_reach_of_who_acts_as_somebody() -> None:
    """By their names: a verb about a password, a mail address, a session, a factor or a key is its person's alone."""
    reachable = [
        name for name, each in COMMANDS.items() if not each.in_person and each.allow not in ("whoever", "anyone")
    ]
    assert [name for name in reachable if any(word in name.lower() for word in _CREDENTIALS)] == []
