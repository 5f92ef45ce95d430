"""The part of the oracle's world that is teams, and what it knows of them. Nobody there manages teams of others."""

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from muster.kit.caller import Claim
from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_values import BASE, HOSTILE, MOMENTS, WORDS

Row = dict[str, Any]

TEAMS_FOR_ANYONE = ("team", "teams")
"""The queries that are not for members alone."""
_OTHERS = ("teamRequest", "teamMember", "teamMembers", "teamRequests", "myTeamRequests")
_RUNNERS = ("OWNER", "ADMIN")


def teams_of(chance: random.Random, tenant: UUID, group: Sequence[UUID]) -> Iterator[tuple[str, Row]]:
    """Rows of a community's teams, each with its table; the same ones for the same state of `chance`."""
    pick = chance.choice
    for _ in range(6):
        team = _id(chance)
        visibility = pick(("PUBLIC", "INTERNAL", "PRIVATE", "PRIVATE"))
        told = {"name": pick(WORDS), "description": pick((None, *HOSTILE)), "visibility": visibility}
        yield "teams", {"tenant_id": tenant, "id": team, **told, "created_at": pick(MOMENTS)}
        for person in chance.sample(group, k=min(5, len(group))):
            place = {"tenant_id": tenant, "id": _id(chance), "team_id": team, "user_id": person}
            role = pick((*_RUNNERS, "MEMBER", "VIEWER"))
            yield "team_members", {**place, "role": role, "joined_at": pick(MOMENTS)}
        for person in chance.sample(group, k=min(5, len(group))):
            yield "team_requests", _request(chance, tenant, team, person, pick(group))


def _request(chance: random.Random, tenant: UUID, team: UUID, person: UUID, maker: UUID) -> Row:
    pick, way = chance.choice, chance.choice(("ASKED", "INVITED"))
    return {
        "tenant_id": tenant,
        "id": _id(chance),
        "team_id": team,
        "user_id": person,
        "way": way,
        "made_by": person if way == "ASKED" else maker,
        "role": pick((*_RUNNERS, "MEMBER")),
        "status": pick(("PENDING", "PENDING", "REJECTED")),
        "note": pick((None, *HOSTILE)),
        "reason": pick((None, *HOSTILE)),
        "created_at": pick(MOMENTS),
        "decided_at": pick((None, BASE)),
    }


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


class TeamsOracle:
    """Answers for one viewer, from plain rows. is_member: the viewer is an active member of the community."""

    def __init__(self, tables: dict[str, list[Row]], claim: Claim, *, is_member: bool) -> None:
        self._tables, self._tenant, self._me, self._is_member = tables, claim.tenant_id, claim.user_id, is_member

    def _rows(self, table: str) -> list[Row]:
        return [row for row in self._tables[table] if row["tenant_id"] == self._tenant]

    @cached_property
    def _roles(self) -> dict[UUID, str]:
        """What the viewer is in each of their teams."""
        return {row["team_id"]: row["role"] for row in self._rows("team_members") if row["user_id"] == self._me}

    @cached_property
    def seen(self) -> dict[UUID, Row]:
        """The teams that the viewer sees."""
        return {row["id"]: row for row in self._rows("teams") if self._sees(row)}

    def _sees(self, team: Row) -> bool:
        if team["visibility"] == "PUBLIC" or (team["visibility"] == "INTERNAL" and self._is_member):
            return True
        mine = [row for row in self._rows("team_requests") if row["team_id"] == team["id"] and self._is_mine(row)]
        return team["id"] in self._roles or any(row["way"] == "INVITED" and row["status"] == "PENDING" for row in mine)

    def _is_mine(self, request: Row) -> bool:
        """It is about the viewer, and comes from nobody with whom they are blocked."""
        pair = {request["made_by"], self._me}
        blocked = any({row["user_id"], row["blocked_id"]} == pair for row in self._tables["blocks"])
        return request["user_id"] == self._me and not blocked

    def _requests(self) -> list[Row]:
        """The requests that the viewer sees."""
        run = {team for team, role in self._roles.items() if role in _RUNNERS}
        return [row for row in self._rows("team_requests") if row["team_id"] in run or self._is_mine(row)]

    @cached_property
    def computed(self) -> dict[str, Callable[[Row], Any]]:
        """What is no column, by type and field."""
        seats = self._rows("team_members")
        return {
            "Team.memberCount": lambda team: len([row for row in seats if row["team_id"] == team["id"]]),
            "Team.ownRole": lambda team: self._roles.get(team["id"]),
            "TeamMember.team": lambda seat: self.seen.get(seat["team_id"]),
            "TeamRequest.team": lambda request: self.seen.get(request["team_id"]),
        }

    def knows(self, name: str) -> bool:
        """Whether a query is of this part."""
        return name in (*TEAMS_FOR_ANYONE, *_OTHERS)

    def one(self, name: str, given: dict[str, Any]) -> Row | None:
        """A team, one place in it, or one request."""
        if name == "teamRequest":
            return next((row for row in self._requests() if str(row["id"]) == given["id"]), None)
        team = self.seen.get(UUID(given["id" if name == "team" else "teamId"]))
        if name == "team" or team is None:
            return team
        return next((row for row in self._seats_in(team) if str(row["user_id"]) == given["userId"]), None)

    def listed(self, name: str, given: dict[str, Any]) -> List | None:
        """A list; None when its team is not visible."""
        if name == "teams":
            own = given.get("ownOnly", False)
            rows = [row for row in self.seen.values() if row["id"] in self._roles or not own]
            return List("Team", name, rows, {"own_only": own})
        if name == "myTeamRequests":
            return List("TeamRequest", name, [row for row in self._requests() if row["user_id"] == self._me])
        team = self.seen.get(UUID(given["teamId"]))
        if team is None:
            return None
        chosen: dict[str, object] = {"team_id": team["id"]}
        if name == "teamMembers":
            return List("TeamMember", name, self._seats_in(team), chosen)
        is_open = given.get("openOnly", True)
        of_team = [row for row in self._requests() if row["team_id"] == team["id"]]
        shown = [row for row in of_team if row["status"] == "PENDING" or not is_open]
        return List("TeamRequest", name, shown, {**chosen, "open_only": is_open})

    def _seats_in(self, team: Row) -> list[Row]:
        return [row for row in self._rows("team_members") if row["team_id"] == team["id"] and self._is_member]
