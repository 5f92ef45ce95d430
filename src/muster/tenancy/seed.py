"""Who belongs to the demo's communities: the default one, and a small one of its own."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from muster.kit.commands.staging import Stage
from muster.tenancy import queries
from muster.tenancy.commands import CreateTenantInput, create_tenant

ROLES = {"nora": "owner", "gosia": "admin", "felix": "moderator"}
"""Of those who are more than participants."""
CLUB = CreateTenantInput(slug="harbour-chess", name="Harbour Chess Club")
CLUB_MEMBERS = ("milo", "hana", "kofi", "rosa", "viktor")
"""The first founds it."""


async def join_community(stage: Stage, people: Mapping[str, UUID], at: datetime) -> None:
    """Make everybody a member of the stage's community."""
    for key, user_id in people.items():
        async with stage.act("register", user_id, at) as ctx:
            await queries.put_member(ctx, user_id=user_id, role=ROLES.get(key, "participant"))


async def found_club(stage: Stage, people: Mapping[str, UUID], at: datetime) -> None:
    """Found the small community; the stage is in it afterwards."""
    founder, *others = (people[key] for key in CLUB_MEMBERS)
    async with stage.act("createTenant", founder, at) as ctx:
        await create_tenant(ctx, input=CLUB)
    for user_id in others:
        async with stage.act("register", user_id, at) as ctx:
            await queries.put_member(ctx, user_id=user_id, role="participant")
