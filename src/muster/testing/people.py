"""People of a test: signed in through the front door, placed in communities where no endpoint does that yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from muster.kit.ids import new_id
from muster.testing.below import change
from muster.testing.client import Client
from muster.testing.serving import Service


class Standing(StrEnum):
    """How somebody stands to an event: a parameter of tests."""

    ANONYMOUS = "ANONYMOUS"
    OUTSIDER = "OUTSIDER"
    MEMBER = "MEMBER"
    MODERATOR = "MODERATOR"
    OWNER = "OWNER"
    OTHER_TENANT = "OTHER_TENANT"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True)
class Person:
    """Somebody with an account. client: calls as them, in the default community until told otherwise."""

    user_id: UUID
    name: str
    client: Client


async def sign_in(service: Service, name: str) -> Person:
    """Sign somebody in, making their account when there is none; they belong to the default community."""
    session = (await Client(service).call("devLogin", name=name)).ok()
    return Person(UUID(session["user"]["id"]), name, Client(service, session["accessToken"]))


async def found_tenant(person: Person, slug: str) -> UUID:
    """A community of somebody's own; answers with its id."""
    made = (await person.client.call("createTenant", input={"slug": slug, "name": f"Town {slug}"})).ok()
    return UUID(made["id"])


async def founder_of(service: Service, tenant_id: UUID) -> Person:
    """Whose a community is that had no owner; they have just shown who they are."""
    person = await sign_in(service, "The founder")
    await change(
        service.urls,
        "update members set role = 'owner' where tenant_id = $1 and user_id = $2",
        tenant_id,
        person.user_id,
    )
    await change(service.urls, "update sessions set proved_at = now() where user_id = $1", person.user_id)
    return person


async def put_in_tenant(service: Service, person: Person, tenant_id: UUID, *, role: str = "participant") -> None:
    """Make somebody a member of a community."""
    await change(
        service.urls,
        "insert into members (tenant_id, id, user_id, role, status, joined_at) values ($1, $2, $3, $4, 'ACTIVE', now())",
        tenant_id,
        new_id(),
        person.user_id,
        role,
    )


async def put_role(
    service: Service, tenant_id: UUID, slug: str, *, base: str, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> None:
    """Give a community a role of its own, whoever may do that."""
    await change(
        service.urls,
        "insert into custom_roles (tenant_id, id, slug, name, colour, base, additions, removals, created_at, updated_at) "
        "values ($1, $2, $3, $3, '#336699', $4, $5, $6, now(), now())",
        tenant_id,
        new_id(),
        slug,
        base,
        list(add),
        list(remove),
    )


async def put_impersonation(service: Service, person: Person, tenant_id: UUID) -> UUID:
    """Have somebody of nobody's staff act as a person, for what the rows say; answers with the id."""
    impersonation_id = new_id()
    await change(
        service.urls,
        "insert into impersonations (id, staff_id, user_id, community_id, session_id, why, ticket, started_at, expires_at) "
        "values ($1, $2, $2, $3, uuidv7(), 'They asked for help', 'SUP-1', now(), now() + interval '1 hour')",
        impersonation_id,
        person.user_id,
        tenant_id,
    )
    return impersonation_id


async def give_role(service: Service, person: Person, tenant_id: UUID, role: str) -> None:
    """Give a member another role, whoever may do that."""
    await change(
        service.urls,
        "update members set role = $3 where tenant_id = $1 and user_id = $2",
        tenant_id,
        person.user_id,
        role,
    )


async def suspend(service: Service, person: Person, tenant_id: UUID) -> None:
    """Close a community to one of its members."""
    await change(
        service.urls,
        "update members set status = 'SUSPENDED' where tenant_id = $1 and user_id = $2",
        tenant_id,
        person.user_id,
    )


async def make_moderator(service: Service, person: Person, event_id: UUID) -> None:
    """Give a seated member of an event the role of a moderator."""
    await change(
        service.urls,
        "update event_members set role = 'MODERATOR' where event_id = $1 and user_id = $2",
        event_id,
        person.user_id,
    )
