"""The teams of the demo community: one that everybody may see, one of its members, one of its own people alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from muster.kit.commands.staging import Stage
from muster.tenancy.teams.commands import CreateTeamInput, approve, ask, create
from muster.tenancy.teams.tables import TeamVisibility


@dataclass(frozen=True)
class Crew:
    """A team and its story. owner: who makes it. others: who asked, and were let in. waiting: who has asked since."""

    team: CreateTeamInput
    owner: str
    others: tuple[str, ...] = ()
    waiting: str | None = None


CREWS = (
    Crew(
        CreateTeamInput("Welcome desk", "Meets whoever comes for the first time.", TeamVisibility.PUBLIC),
        "gosia",
        ("amara", "owen"),
        waiting="wen",
    ),
    Crew(
        CreateTeamInput("Trail scouts", "Walks every hike a week before everybody else."), "daniel", ("ulla", "bruno")
    ),
    Crew(CreateTeamInput("Summer party", "Nobody else knows yet.", TeamVisibility.PRIVATE), "nora"),
)


async def form_teams(stage: Stage, people: Mapping[str, UUID], at: datetime) -> None:
    """Make the teams of the stage's community. people: ids by key."""
    for crew in CREWS:
        owner = people[crew.owner]
        async with stage.act("createTeam", owner, at) as ctx:
            team_id = (await create(ctx, input=crew.team)).row_id
        for key in crew.others:
            request_id = await _ask(stage, people[key], team_id, at)
            async with stage.act("approveTeamRequest", owner, at) as ctx:
                await approve(ctx, id=request_id)
        if crew.waiting is not None:
            await _ask(stage, people[crew.waiting], team_id, at)


async def _ask(stage: Stage, user_id: UUID, team_id: UUID, at: datetime) -> UUID:
    """Somebody asks to be in a team; answers with the id of the request."""
    async with stage.act("askToJoinTeam", user_id, at) as ctx:
        return (await ask(ctx, team_id=team_id)).row_id
