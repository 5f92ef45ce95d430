"""Tables of profiles. All are global: one person, many communities."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, Json, one_of, personal, plain, state


class Audience(StrEnum):
    """To whom something is shown: to everyone who sees the profile, to members of the same community, or to oneself."""

    EVERYONE = "EVERYONE"
    MEMBERS = "MEMBERS"
    SELF = "SELF"


class Disclosure(StrEnum):
    """To whom an event shows something of it: to everyone who sees it, to who has a place, or to who runs it."""

    PUBLIC = "PUBLIC"
    AFTER_JOIN = "AFTER_JOIN"
    HIDDEN = "HIDDEN"


class TieKind(StrEnum):
    """What one person is to another of their own will."""

    STAR = "STAR"
    FOLLOW = "FOLLOW"


_EMPTY, _NOTHING, _NO = text("'{}'::text[]"), text("'[]'::jsonb"), text("false")
_MEMBERS, _SELF, _PUBLIC = text("'MEMBERS'::text"), text("'SELF'::text"), text("'PUBLIC'::text")

AUDIENCES = (
    *("bio_short", "bio_long", "city", "country", "home_point", "languages", "interests", "links", "skills"),
    *("education", "experience", "availability", "last_seen", "connections"),
)
"""What a person decides the audience of; the column `<name>_for` holds it."""


class Profile(GlobalTable):
    """What a person tells of themselves; `id` is the person's. A trigger makes it with the account, as it is by default.

    country: by ISO 3166. latitude, longitude: of home. languages: by BCP 47. links: addresses at providers we know.
    is_public: whether who shares no community with the person sees it, too. is_indexed, counts_views: of its public page,
    whether search engines may list it and whether its views are counted.
    keeps_last_seen: whether it is noted when the person was here. connections: who stars and follows whom.
    local_push_consent: whether they want to hear of events near their home.
    default_address_visibility, default_members_visibility: what their new events begin with.
    version: counts what the person changes.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        *(one_of(f"{name}_for", Audience) for name in AUDIENCES),
        one_of("default_address_visibility", Disclosure),
        one_of("default_members_visibility", Disclosure),
        CheckConstraint(
            "num_nonnulls(latitude, longitude) in (0, 2) "
            "and coalesce(latitude between -90 and 90 and longitude between -180 and 180, true)",
            name="point",
        ),
    )
    reason: ClassVar[str] = "one person, many communities"
    person: ClassVar[str | None] = "id"

    id: Mapped[UUID] = personal(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    bio_short: Mapped[str | None] = personal()
    bio_long: Mapped[str | None] = personal()
    city: Mapped[str | None] = personal()
    country: Mapped[str | None] = personal()
    latitude: Mapped[float | None] = personal()
    longitude: Mapped[float | None] = personal()
    languages: Mapped[list[str]] = personal(server_default=_EMPTY)
    interests: Mapped[list[str]] = personal(server_default=_EMPTY)
    links: Mapped[list[str]] = personal(server_default=_EMPTY)
    skills: Mapped[list[str]] = personal(server_default=_EMPTY)
    education: Mapped[Json] = personal(server_default=_NOTHING)
    experience: Mapped[Json] = personal(server_default=_NOTHING)
    availability: Mapped[list[str]] = personal(server_default=_EMPTY)
    is_public: Mapped[bool] = plain(server_default=_NO)
    is_indexed: Mapped[bool] = plain(server_default=_NO)
    counts_views: Mapped[bool] = plain(server_default=_NO)
    keeps_last_seen: Mapped[bool] = plain(server_default=text("true"))
    local_push_consent: Mapped[bool] = plain(server_default=_NO)
    default_address_visibility: Mapped[Disclosure] = state(Disclosure, server_default=_PUBLIC)
    default_members_visibility: Mapped[Disclosure] = state(Disclosure, server_default=_PUBLIC)
    version: Mapped[int] = plain(server_default=text("1"))
    updated_at: Mapped[datetime | None] = plain()
    bio_short_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    bio_long_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    city_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    country_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    home_point_for: Mapped[Audience] = state(Audience, server_default=_SELF)
    languages_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    interests_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    links_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    skills_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    education_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    experience_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    availability_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    last_seen_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)
    connections_for: Mapped[Audience] = state(Audience, server_default=_MEMBERS)


class Username(GlobalTable):
    """A name that leads to a person: the one they have, or one that they gave up and that still leads to them.

    name: in small letters, unique among both kinds, so whoever takes it first has it. given_up_at: null while in use.
    """

    __tablename__ = "usernames"
    __table_args__ = (
        Index("usernames_current_idx", "user_id", unique=True, postgresql_where="given_up_at is null"),
        Index("usernames_given_up_idx", "user_id", "given_up_at", postgresql_where="given_up_at is not null"),
    )
    reason: ClassVar[str] = "a name leads to one person, whatever community one asks in"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    name: Mapped[str] = personal(unique=True)
    taken_at: Mapped[datetime] = plain()
    given_up_at: Mapped[datetime | None] = plain()


class Tie(GlobalTable):
    """A star or a follow: one person's mark on another."""

    __tablename__ = "ties"
    __table_args__ = (
        UniqueConstraint("from_id", "to_id", "kind"),
        CheckConstraint("from_id <> to_id", name="to_another"),
        one_of("kind", TieKind),
        Index("ties_from_idx", "from_id", "kind", "created_at", "id"),
        Index("ties_to_idx", "to_id", "kind", "created_at", "id"),
    )
    reason: ClassVar[str] = "people know each other from more than one community"
    person: ClassVar[str | None] = "from_id"

    from_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    to_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    kind: Mapped[TieKind] = state(TieKind)
    created_at: Mapped[datetime] = plain()


class Sighting(GlobalTable):
    """When a person was last here, coarsely; `id` is the person's. There is none of who does not want it kept."""

    __tablename__ = "sightings"
    reason: ClassVar[str] = "a person is here, not in a community"
    person: ClassVar[str | None] = "id"

    id: Mapped[UUID] = personal(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    seen_at: Mapped[datetime] = personal()


class ProfileViews(GlobalTable):
    """How often a person's public page was viewed; `id` is the person's. Apart from the profile, which changes seldom."""

    __tablename__ = "profile_views"
    reason: ClassVar[str] = "a public page belongs to no community"
    person: ClassVar[str | None] = "id"

    id: Mapped[UUID] = personal(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    count: Mapped[int] = personal()


class ProfileVisit(GlobalTable):
    """That somebody has viewed a page today, so that they are counted once.

    The id is a keyed digest of the page, the day, and where the visitor came from; nothing else is kept of them, and
    this for two days at most.
    """

    __tablename__ = "profile_visits"
    reason: ClassVar[str] = "a public page belongs to no community"

    at: Mapped[datetime] = plain(index=True)
