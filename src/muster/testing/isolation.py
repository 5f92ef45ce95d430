"""The probe: two towns on one database, and every way that one might reach, change or detect the other.

The matrix test demands that it finds nothing; the mutation test demands that it finds something when a policy is gone.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from muster.access.gate import GATE
from muster.access.keys.ring import KeyRing
from muster.access.keys.rules import SCOPES
from muster.identity.commands import token_keys
from muster.kit.caller import KEY_PREFIX, Claim, Origin, whoever
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.errors import AppError
from muster.kit.ids import new_id
from muster.kit.realtime.delivery import Delivery
from muster.kit.realtime.subscription import Subscription
from muster.testing.auditing import as_worker, seal
from muster.testing.below import ask, change, maintenance, snapshot_over, value
from muster.testing.client import Answer, Client, Way
from muster.testing.matrix import (
    REFUSED_AS_IT_IS,
    Endpoint,
    Place,
    endpoints,
    examples,
    is_everybodys,
    of_tenant,
    places,
    required,
    tables_with,
)
from muster.testing.needed import violations_below
from muster.testing.people import Standing, put_impersonation, put_role, sign_in
from muster.testing.serving import Service, serving_in_process
from muster.testing.thoroughness import in_turn
from muster.testing.town import SEATS, Town, moved, settle
from muster.testing.work import drain

VICTIM, INTRUDER = "northern", "southern"
"""The names of the two towns. Everything that people of the first wrote holds its name."""


class Stranger(NamedTuple):
    """Somebody who tries. who: of the words below. tenant: which they ask for, of the words below; None names none."""

    who: str
    tenant: str | None = None

    def __str__(self) -> str:
        return self.who if self.tenant is None else f"{self.who} in {self.tenant}"


RIVAL, OUTSIDER, ANONYMOUS = "another tenant's owner", "an outsider", "an anonymous visitor"
SUSPENDED, KEY = "a suspended member", "another tenant's API key"
THEIR_OWN, THE_VICTIMS, THE_VICTIMS_BY_SLUG = "their own tenant", "the victim's tenant", "the victim's tenant by slug"
AT_HOME = (Stranger(RIVAL, THEIR_OWN), *map(Stranger, (OUTSIDER, ANONYMOUS, SUSPENDED, KEY)))
"""Everybody who tries from a tenant that is open to them: their own, the default one, or a key's."""
AT_THE_DOOR = (
    Stranger(KEY, THE_VICTIMS),
    Stranger(RIVAL, THE_VICTIMS),
    Stranger(RIVAL, THE_VICTIMS_BY_SLUG),
    Stranger(OUTSIDER, THE_VICTIMS),
    Stranger(ANONYMOUS, THE_VICTIMS_BY_SLUG),
    Stranger(SUSPENDED, THE_VICTIMS),
)
"""Everybody who asks for the victim's tenant itself."""
# Whoever shares the default community shares what its members show each other; the victims share nothing with anybody.
_LEAVE_DEFAULT = """
delete from members where tenant_id = (select id from tenants where is_default)
   and user_id in (select user_id from members where tenant_id = $1)
"""
# No handler of ours takes steps yet.
_A_STEP = "insert into job_steps (tenant_id, id, job_id, name) values ($1, uuidv7(), 0, 'a step')"
# Nothing starts so soon that people have been told.
_A_ROUND = """
insert into reminder_rounds (tenant_id, id, event_id, kind, at, made_at)
select tenant_id, uuidv7(), id, 'PT15M', starts_at, now() from events where tenant_id = $1
"""
# An invitation by mail, a link that somebody used, and some who ask to join.
_WAITING = """
with owner as (
  select m.user_id, t.slug from members m join tenants t on t.id = m.tenant_id where t.id = $1 and m.role = 'owner'
), invited as (
  insert into invitations (tenant_id, id, way, email, role, status, made_by, created_at, expires_at, uses, letters,
                           letters_since)
  select $1, uuidv7(), way, case way when 'MAIL' then 'guest@in.' || slug end, 'participant', 'PENDING', user_id,
         now(), now() + interval '1 day', 0, 0, now()
    from owner, unnest(array['MAIL', 'LINK']) as way
  returning id, way
), used as (
  insert into invitation_uses (tenant_id, id, invitation_id, user_id, used_at)
  select $1, uuidv7(), id, user_id, now() from invited, owner where way = 'LINK'
)
insert into join_requests (tenant_id, id, user_id, note, status, created_at)
select $1, uuidv7(), m.user_id, 'Let me in ' || o.slug, 'PENDING', now()
  from (select user_id from members where tenant_id = $1 and status = 'ACTIVE' limit 4) as m, owner o
"""


@dataclass(frozen=True)
class World:
    """Two filled towns.

    below: sees every row. delivery: lets subscribers in. intruder: the town whose people try to reach the other.
    """

    service: Service
    below: asyncpg.Connection
    delivery: Delivery
    ring: KeyRing
    key: str
    victim: Town
    intruder: Town
    _ids: dict[tuple[UUID, str, str], set[UUID]] = field(default_factory=dict)

    async def ids(self, town: Town, declared: Endpoint, place: Place) -> list[UUID]:
        """The ids of a town's rows that fit a place, as they were when the town was settled."""
        found: set[UUID] = set()
        for table, column in tables_with(declared, place):
            key = (town.tenant_id, table.name, column)
            if key not in self._ids:
                query = f"select distinct {column} from {table.name} where {of_tenant(table)}"  # noqa: S608 - our own names
                rows = await ask(self.service.urls, f"{query} and {column} is not null", town.tenant_id)
                self._ids[key] = {UUID(int=row[0].int) for row in rows}
            found |= self._ids[key]
        return sorted(found)


@dataclass(frozen=True)
class Towns:
    """Both towns as they were settled: the model of worlds. urls: of their database. key: the intruder's, for programs."""

    urls: Urls
    victim: Town
    intruder: Town
    key: str


async def settle_both(service: Service) -> Towns:
    """Settle both towns."""
    intruder, victim = await settle(service, INTRUDER), await settle(service, VICTIM)
    for town in (intruder, victim):
        await change(service.urls, _A_STEP, town.tenant_id)
        await change(service.urls, _A_ROUND, town.tenant_id)
        await put_impersonation(service, town.people[Standing.OWNER], town.tenant_id)
        await change(service.urls, _WAITING, town.tenant_id)
        for slug in ("greeter", "porter"):
            await put_role(service, town.tenant_id, slug, base="participant", add=["member:approve"])
        owner, member = town.client(Standing.OWNER), town.people[Standing.MEMBER]
        (await owner.call("offerOwnership", userId=member.user_id)).ok()
        (await owner.call("offerEventOwnership", eventId=town.event_id, userId=member.user_id)).ok()
        # One more place than before, which is offered to who waits; they do not answer.
        (await owner.call("updateEvent", id=town.event_id, input={"max": SEATS + 1, "offerMinutes": 60})).ok()
        program = {"name": f"The program of {town.tenant_id}"}
        (await town.client(Standing.OWNER).call("createServiceAccount", input=program)).ok()
        (await town.client(Standing.OWNER).call("addDomain", name=f"{town.tenant_id.hex}.example")).ok()
        async with as_worker(service.urls) as worker:
            await seal(worker, town.tenant_id)
        # So that a row of the audit log still waits for its seal, too.
        await _key_of(town.client(Standing.OWNER))
    await change(service.urls, _LEAVE_DEFAULT, victim.tenant_id)
    # Another than the one that the matrix revokes, which is the first.
    return Towns(service.urls, victim, intruder, await _key_of(intruder.client(Standing.OWNER)))


@asynccontextmanager
async def open_world(urls: Urls, towns: Towns) -> AsyncIterator[World]:
    """Serve both towns from a copy of their database. urls: of the copy."""
    async with serving_in_process(urls) as service, maintenance(urls) as below:
        database = await Database.open(urls.app, size=2)
        victim, intruder = moved(towns.victim, service), moved(towns.intruder, service)
        try:
            yield World(service, below, Delivery(database, GATE), KeyRing(database), towns.key, victim, intruder)
        finally:
            await database.close()


@dataclass(frozen=True)
class Intruder:
    """A caller who has come. client: in the tenant they ask for. own_id: who a suspended member is."""

    client: Client
    own_id: UUID | None = None


async def violations(world: World, *, ways: Sequence[Way] = tuple(Way)) -> AsyncIterator[str]:
    """Everything that is wrong; of what lies below the endpoints first, and then nothing else is tried.

    The worker has not run yet. ways: those to try each endpoint by.
    """
    below = await violations_below(world.service, world.victim, world.intruder, VICTIM)
    for found in below:
        yield found
    for declared in () if below else endpoints().values():
        for way in ways[:1] if isinstance(declared, Subscription) else ways:
            for found in await endpoint_violations(world, declared, way):
                yield f"{declared.name} ({way}): {found}"


async def endpoint_violations(world: World, declared: Endpoint, way: Way) -> list[str]:
    """How one endpoint lets an intruder reach or detect the victim's rows.

    Two callers at home and one at the door try it this way; others try the next endpoint, the other way and tomorrow,
    see `in_turn`.
    """
    before = await snapshot_over(world.below, tenant_id=world.victim.tenant_id)
    found, number = [], list(endpoints()).index(declared.name) + list(Way).index(way)
    for caller in (*in_turn(AT_HOME, number, 2), *in_turn(AT_THE_DOOR, number, 1)):
        intruder = await _come(world, caller)
        try_it = _knocked if caller in AT_THE_DOOR else _tried
        found += [f"{caller}: {each}" for each in await try_it(world, declared, way, intruder)]
    after = await snapshot_over(world.below, tenant_id=world.victim.tenant_id)
    return found + [f"changed rows of {table}" for table, rows in before.items() if rows != after[table]]


async def _come(world: World, caller: Stranger) -> Intruder:
    """A caller, freshly signed in: some endpoints end a session."""
    names = {RIVAL: f"{INTRUDER} owner", OUTSIDER: "nobody special", SUSPENDED: f"{VICTIM} suspended"}
    tenants = {THEIR_OWN: world.intruder.tenant_id, THE_VICTIMS: world.victim.tenant_id, THE_VICTIMS_BY_SLUG: VICTIM}
    client, own_id = Client(world.service, world.key if caller.who == KEY else None), None
    if caller.who in names:
        person = await sign_in(world.service, names[caller.who])
        client, own_id = person.client, person.user_id if caller.who == SUSPENDED else None
    return Intruder(client if caller.tenant is None else client.in_tenant(tenants[caller.tenant]), own_id)


async def _key_of(holder: Client) -> str:
    """A key of somebody's that may do whatever a key can be made for."""
    made = (await holder.call("createApiKey", input={"name": "A program", "scopes": sorted(SCOPES)})).ok()
    secret: str = made["secret"]
    return secret


async def _knocked(world: World, declared: Endpoint, way: Way, intruder: Intruder) -> list[str]:
    """A caller asks for the victim's tenant itself: it must look as one that does not exist."""
    client = intruder.client
    given = await _own_arguments(world, declared)
    if declared.allow is whoever:
        # Which tenant they ask for is not looked at.
        answer = await call(world, client, declared, way, given)
        return [f"reads {answer}"] if _tells(answer) else []
    nowhere = client.in_tenant("no-such-town" if client.tenant == VICTIM else new_id())
    answer, absent = await call(world, client, declared, way, given), await call(world, nowhere, declared, way, given)
    if answer == absent and answer.code == "TENANT_NOT_FOUND":
        return []
    return [f"asked for the victim's tenant gets {answer}, for one that does not exist {absent}"]


async def _tried(world: World, declared: Endpoint, way: Way, intruder: Intruder) -> list[str]:
    """A caller stays in a tenant that is open to them, and names rows of the victim: they must look as if absent."""
    client, found = intruder.client, []
    own = await _own_arguments(world, declared)
    for place in (each for each in places(declared) if not is_everybodys(declared, each)):
        absent = await call(world, client, declared, way, place.put(own, new_id()))
        for foreign_id in sorted({*await world.ids(world.victim, declared, place)} - {intruder.own_id}):
            answer = await call(world, client, declared, way, place.put(own, foreign_id))
            if _tells(answer):
                found.append(f"{place.path} of the victim's reads {answer}")
            elif answer != absent:
                found.append(f"{place.path} of the victim's gives {answer}, an id of nothing {absent}")
    # Last: what it does to the caller's own rows does not spoil the comparisons.
    answer = await call(world, client, declared, way, own)
    return [*found, f"reads {answer}"] if _tells(answer) else found


def _tells(answer: Answer) -> bool:
    """Whether an answer holds something that people of the victim's town wrote."""
    return f"in {VICTIM}" in json.dumps([answer.data, answer.problem])


async def _own_arguments(world: World, declared: Endpoint) -> dict[str, Any]:
    """Valid arguments with the ids of the intruder's own town."""
    given = examples(declared)
    for place in places(declared):
        if required(declared, place):
            own = await world.ids(world.intruder, declared, place)
            given = place.put(given, own[0])
    return given


async def call(world: World, client: Client, declared: Endpoint, way: Way, given: dict[str, Any]) -> Answer:
    """Call any endpoint; of a subscription, ask whether it lets the caller subscribe."""
    if not isinstance(declared, Subscription):
        return await client.call(declared.name, way=way, **given)
    claim = await _claim(world, client)
    if claim is None:
        # A slug that nobody has, or a tenant that is not a key's, is refused at the edge, whatever the request wants.
        refused = await client.call("events")
        return Answer(refused.status, refused.code, None, refused.problem["detail"])
    topic_id = UUID(str(next(iter(given.values())))) if given else (claim.user_id or new_id())
    origin = Origin(claim, datetime.now(UTC), "probe")
    try:
        await world.delivery.admit(declared, topic_id, origin)
    except AppError as error:
        return Answer(error.status, error.code, None, error.detail)
    return Answer(200, None, "subscribed")


async def _claim(world: World, client: Client) -> Claim | None:
    """What a client claims; None when it names a tenant by a slug that nobody has."""
    urls, named = world.service.urls, client.tenant
    if client.token is not None and client.token.startswith(KEY_PREFIX):
        key = await world.ring.bearer(client.token, None, datetime.now(UTC))
        if key.tenant_id is None or named not in (None, str(key.tenant_id)):
            return None
        return Claim(key.tenant_id, key.user_id, key.session_id, scopes=key.scopes)
    condition = "is_default" if named is None else "$1 in (id::text, slug)"
    values = [] if named is None else [named]
    tenant_id = await value(urls, f"select id from tenants where {condition}", *values)  # noqa: S608 - two constants
    if tenant_id is None and named == "no-such-town":
        return None
    entered = UUID(named) if tenant_id is None and named is not None else UUID(int=tenant_id.int)
    keys = token_keys(world.service.settings.security)
    identity = None if client.token is None else keys.read(client.token, datetime.now(UTC))
    return Claim(entered) if identity is None else Claim(entered, identity.user_id, identity.session_id)


async def useless(world: World) -> list[str]:
    """The endpoints that nobody of a town can use with the matrix's arguments: their rows would prove nothing.

    Changes the intruder's town.
    """
    await drain(world.service.urls)
    tried = [declared for declared in endpoints().values() if declared.name not in REFUSED_AS_IT_IS]
    # Who has left can do nothing more, and in a team that is gone nobody can.
    tried.sort(key=lambda declared: ["deleteTeam", "leaveTenant"].count(declared.name))
    return [declared.name for declared in tried if not await _works_for_somebody(world, declared)]


async def _works_for_somebody(world: World, declared: Endpoint) -> bool:
    town = world.intruder
    places_needed = [place for place in places(declared) if required(declared, place)]
    choices = [await world.ids(town, declared, place) for place in places_needed]
    for standing in (Standing.OWNER, Standing.MEMBER, Standing.OUTSIDER):
        person = await sign_in(world.service, f"{INTRUDER} {standing.lower()}")
        for given in _combined(examples(declared), places_needed, choices):
            answer = await call(world, person.client.in_tenant(town.tenant_id), declared, Way.REST, given)
            if answer.code is None:
                return True
    return False


def _combined(given: dict[str, Any], where: list[Place], choices: list[list[UUID]]) -> list[dict[str, Any]]:
    combined = [given]
    for place, ids in zip(where, choices, strict=True):
        combined = [place.put(each, value) for each in combined for value in ids]
    return combined
