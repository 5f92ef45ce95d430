"""What the oracle knows of people: who sees whose profile, and what of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from muster.kit.text import camel
from muster.kit.views.tests.oracle_cursors import moment_text
from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_world import Row, World

FOR_ANYONE = ("profile", "profileOfUser", "followers", "following", "stargazers")
FOR_SIGNED_IN = ("myProfile", "myStars", "myBlocks")
_LISTS = {"followers": ("FOLLOW", "to_id"), "stargazers": ("STAR", "to_id"), "following": ("FOLLOW", "from_id")}
_ENDS = {"Tie.by": "from_id", "Tie.person": "to_id"}
_GUARDED = (
    *("bio_short", "bio_long", "city", "country", "languages", "interests", "links", "skills"),
    *("education", "experience", "availability"),
)


class People:
    """People as one viewer finds them."""

    def __init__(self, world: World, tenant: UUID, me: UUID | None) -> None:
        self._tables, self._tenant, self._me = world.tables, tenant, me
        self.users = {row["id"]: row for row in world.tables["users"]}
        self._profiles = {row["id"]: row for row in world.tables["profiles"]}

    @cached_property
    def _members(self) -> set[UUID]:
        rows = [row for row in self._tables["members"] if row["tenant_id"] == self._tenant]
        return {row["user_id"] for row in rows if row["status"] == "ACTIVE"}

    def _shares(self, person: UUID) -> bool:
        return {self._me, person} <= self._members

    @cached_property
    def _blocked(self) -> set[UUID]:
        """Whom the viewer has blocked, and who has blocked them."""
        pairs = [(row["user_id"], row["blocked_id"]) for row in self._tables["blocks"]]
        return {there for here, there in pairs if here == self._me} | {
            here for here, there in pairs if there == self._me
        }

    def seen(self, person: UUID) -> Row | None:
        """The profile of a person, if the viewer sees it."""
        row = self._profiles.get(person)
        known = row is not None and (person == self._me or row["is_public"] or self._shares(person))
        return row if known and person not in self._blocked else None

    def _shown(self, row: Row, part: str) -> bool:
        audience = row[f"{part}_for"]
        return row["id"] == self._me or audience == "EVERYONE" or (audience == "MEMBERS" and self._shares(row["id"]))

    @cached_property
    def computed(self) -> dict[str, Callable[[Row], Any]]:
        """What is no column shown to everybody, by type and field."""
        found: dict[str, Callable[[Row], Any]] = {
            "Block.person": lambda block: self.users[block["blocked_id"]],
            "Profile.username": lambda row: self._username(row["id"]),
            "Profile.displayName": lambda row: self.users[row["id"]]["name"],
            "Profile.approximateLatitude": lambda row: self._roughly(row, "latitude"),
            "Profile.approximateLongitude": lambda row: self._roughly(row, "longitude"),
            "Profile.lastSeenAt": self._last_seen,
            "Profile.starCount": lambda row: len(self._ties("STAR", to_id=row["id"])),
            "Profile.followerCount": lambda row: len(self._ties("FOLLOW", to_id=row["id"])),
            "Profile.starredByMe": lambda row: bool(self._ties("STAR", to_id=row["id"], from_id=self._me)),
            "Profile.followedByMe": lambda row: bool(self._ties("FOLLOW", to_id=row["id"], from_id=self._me)),
            "Profile.viewCount": self._view_count,
            "Profile.privacy": lambda row: row if row["id"] == self._me else None,
        }
        found |= {name: self._end(end) for name, end in _ENDS.items()}
        found |= {f"Profile.{camel(part)}": self._guarded(part) for part in _GUARDED}
        disclosures = ("default_address_visibility", "default_members_visibility", "local_push_consent")
        own = ("latitude", "longitude", "counts_views", "keeps_last_seen", *disclosures)
        found |= {f"Profile.{camel(name)}": self._own(name) for name in own}
        audiences = (*_GUARDED, "home_point", "last_seen", "connections")
        return found | {f"ProfilePrivacy.{camel(part)}": self._audience(part) for part in audiences}

    def _end(self, end: str) -> Callable[[Row], Any]:
        return lambda tie: self.seen(tie[end])

    def _guarded(self, part: str) -> Callable[[Row], Any]:
        return lambda row: row[part] if self._shown(row, part) else None

    def _own(self, name: str) -> Callable[[Row], Any]:
        return lambda row: row[name] if row["id"] == self._me else None

    @staticmethod
    def _audience(part: str) -> Callable[[Row], Any]:
        return lambda row: row[f"{part}_for"]

    def _roughly(self, row: Row, name: str) -> float | None:
        hidden = row[name] is None or not self._shown(row, "home_point")
        return None if hidden else round(row[name] * 10) / 10

    def _last_seen(self, row: Row) -> str | None:
        seen = next((each["seen_at"] for each in self._tables["sightings"] if each["id"] == row["id"]), None)
        return moment_text(seen) if seen and self._shown(row, "last_seen") else None

    def _view_count(self, row: Row) -> int | None:
        counts = [each["count"] for each in self._tables["profile_views"] if each["id"] == row["id"]]
        return sum(counts) if row["id"] == self._me and row["counts_views"] else None

    def _username(self, person: UUID) -> str | None:
        rows = [row for row in self._tables["usernames"] if row["user_id"] == person]
        return next((row["name"] for row in rows if row["given_up_at"] is None), None)

    def _ties(self, kind: str, **ends: UUID | None) -> list[Row]:
        rows = [row for row in self._tables["ties"] if row["kind"] == kind]
        return [row for row in rows if all(row[end] == person for end, person in ends.items())]

    def one(self, name: str, given: dict[str, Any]) -> Row | None:
        """The answer to a query for one profile."""
        if name == "profile":
            horizon = datetime.now(UTC) - timedelta(days=90)
            rows = [row for row in self._tables["usernames"] if row["name"] == given["username"].lower()]
            leads = [row for row in rows if row["given_up_at"] is None or row["given_up_at"] > horizon]
            return self.seen(leads[0]["user_id"]) if leads else None
        person = self._me if name == "myProfile" else UUID(given["userId"])
        return self.seen(person) if person else None

    def listed(self, name: str, given: dict[str, Any]) -> List | None:
        """The answer to a query for a list; None when its parent is not seen."""
        if name == "myBlocks":
            return List("Block", name, [row for row in self._tables["blocks"] if row["user_id"] == self._me])
        if name == "myStars":
            return List("Tie", name, self._seen_ties(self._ties("STAR", from_id=self._me)))
        person = UUID(given["userId"])
        profile = self.seen(person)
        if profile is None:
            return None
        kind, end = _LISTS[name]
        shown = self._ties(kind, **{end: person}) if self._shown(profile, "connections") else []
        return List("Tie", name, self._seen_ties(shown), {"user_id": person})

    def _seen_ties(self, ties: list[Row]) -> list[Row]:
        return [tie for tie in ties if self.seen(tie["from_id"]) and self.seen(tie["to_id"])]
