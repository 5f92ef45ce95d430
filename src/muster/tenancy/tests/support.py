"""What tests of tenancy share: a community with people of every role."""

from dataclasses import dataclass
from uuid import UUID

from muster.testing.client import Client
from muster.testing.people import Person, found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service


@dataclass(frozen=True)
class Club:
    """A community of its own. people: by the names that they were given, which are their roles."""

    service: Service
    tenant_id: UUID
    people: dict[str, Person]

    def client(self, name: str) -> Client:
        """The client of somebody, in this community."""
        return self.people[name].client.in_tenant(self.tenant_id)

    def id_of(self, name: str) -> UUID:
        """Who somebody is."""
        return self.people[name].user_id


async def found_club(service: Service, *roles: str, slug: str = "chess-club") -> Club:
    """Found a community, with an owner and a member of each further role, named for it."""
    owner = await sign_in(service, f"{slug} owner")
    tenant_id = await found_tenant(owner, slug)
    people = {"owner": owner}
    for role in roles:
        people[role] = await sign_in(service, f"{slug} {role}")
        await put_in_tenant(service, people[role], tenant_id, role=role)
    return Club(service, tenant_id, people)
