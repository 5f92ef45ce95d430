"""What can be read of people: their profiles, their stars and follows, and whom one has blocked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Double, and_, case, func, or_, select

from muster.identity.tables import Block, User
from muster.identity.views import UserView
from muster.kit.caller import anyone, signed_in
from muster.kit.db.aliases import alias_of
from muster.kit.db.tables import Json, once_more
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, only_if, sql
from muster.profiles.predicates import is_self, of_visible, profile_visible, shown
from muster.profiles.rules import REDIRECT
from muster.profiles.tables import Audience, Disclosure, Profile, ProfileViews, Sighting, Tie, TieKind, Username


def username_of(profile: type[Profile], _viewer: Viewer) -> ColumnElement[str | None]:
    """The name in use."""
    name: Any = once_more(Username)
    return select(name.name).where(name.user_id == profile.id, name.given_up_at.is_(None)).scalar_subquery()


def display_name_of(profile: type[Profile], _viewer: Viewer) -> ColumnElement[str]:
    """How the person wants to be called, which the account knows."""
    user: Any = once_more(User)
    return select(user.name).where(user.id == profile.id).scalar_subquery()


def last_seen_of(profile: type[Profile], viewer: Viewer) -> ColumnElement[datetime | None]:
    """When the person was last here, for whom they show it to."""
    sighting: Any = once_more(Sighting)
    seen = select(sighting.seen_at).where(sighting.id == profile.id).scalar_subquery()
    return case((shown("last_seen")(profile, viewer), seen))


def _roughly(degrees: Any) -> ColumnElement[Any]:
    """Degrees to a tenth: a square of some ten kilometres, the same one whoever asks and however often."""
    return func.round(degrees * 10, type_=Double()) / 10.0


def rough_latitude_of(profile: type[Profile], viewer: Viewer) -> ColumnElement[float | None]:
    """About where home is, for whom the person shows it to."""
    return case((shown("home_point")(profile, viewer), _roughly(profile.latitude)))


def rough_longitude_of(profile: type[Profile], viewer: Viewer) -> ColumnElement[float | None]:
    """About where home is, for whom the person shows it to."""
    return case((shown("home_point")(profile, viewer), _roughly(profile.longitude)))


def _tied(profile: type[Profile], viewer: Viewer, kind: TieKind) -> ColumnElement[bool]:
    tie: Any = once_more(Tie)
    return select(tie.id).where(tie.from_id == viewer.user_id, tie.to_id == profile.id, tie.kind == kind).exists()


def starred_by_me(profile: type[Profile], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has starred the person."""
    return _tied(profile, viewer, TieKind.STAR)


def followed_by_me(profile: type[Profile], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer follows the person."""
    return _tied(profile, viewer, TieKind.FOLLOW)


MOST_COUNTED = 10_000
"""So many stars or followers are counted and no more, so that whoever has a million of them is read as fast as others."""


def _count(profile: type[Profile], kind: TieKind) -> ColumnElement[int]:
    ties = alias_of(Tie.__table__)
    some = select(ties.c.id).where(ties.c.to_id == profile.id, ties.c.kind == kind).limit(MOST_COUNTED)
    return select(func.count()).select_from(some.correlate_except(ties).subquery()).scalar_subquery()


def star_count(profile: type[Profile], _viewer: Viewer) -> ColumnElement[int]:
    """How many have starred the person."""
    return _count(profile, TieKind.STAR)


def follower_count(profile: type[Profile], _viewer: Viewer) -> ColumnElement[int]:
    """How many follow the person."""
    return _count(profile, TieKind.FOLLOW)


def view_count(profile: type[Profile], viewer: Viewer) -> ColumnElement[int | None]:
    """How often the public page was viewed, for oneself."""
    views: Any = once_more(ProfileViews)
    counted = select(views.count).where(views.id == profile.id).scalar_subquery()
    return case((and_(is_self(profile, viewer), profile.counts_views), func.coalesce(counted, 0)))


def _audience(name: str) -> Any:
    """The field that tells the audience of `name`."""
    return sql(lambda profile, _viewer: getattr(profile, f"{name}_for"))


class ProfilePrivacyView(View, of=Profile):
    """To whom the parts of one's profile are shown. home_point: the area around it; the point itself nobody else sees.

    connections: who stars and follows one, and whom one does.
    """

    visible = is_self
    brief = (
        *("bioShort", "bioLong", "city", "country", "homePoint", "languages", "interests", "links", "skills"),
        *("education", "experience", "availability", "lastSeen", "connections"),
    )

    id: UUID
    bio_short: Audience = _audience("bio_short")
    bio_long: Audience = _audience("bio_long")
    city: Audience = _audience("city")
    country: Audience = _audience("country")
    home_point: Audience = _audience("home_point")
    languages: Audience = _audience("languages")
    interests: Audience = _audience("interests")
    links: Audience = _audience("links")
    skills: Audience = _audience("skills")
    education: Audience = _audience("education")
    experience: Audience = _audience("experience")
    availability: Audience = _audience("availability")
    last_seen: Audience = _audience("last_seen")
    connections: Audience = _audience("connections")


class ProfileView(View, of=Profile):
    """What a person tells of themselves; the id is the person's. What is not shown to the viewer is null.

    username: the name in addresses; null while they have none. display_name: how they want to be called.
    bio_short: a line of plain text. bio_long: Markdown; whoever renders it lets no HTML through.
    city: where they live. country: by ISO 3166-1.
    latitude: of their home, in degrees north; null for everybody else.
    longitude: of their home, in degrees east; null for everybody else.
    approximate_latitude: of their home, in degrees north to a tenth, which is some ten kilometres.
    approximate_longitude: of their home, in degrees east to a tenth, which is some ten kilometres at most.
    languages: that they speak, by BCP 47. interests: what they like, in words that people search for.
    skills: what they are good at, in words that people search for. links: to pages of theirs at providers that are known here.
    education: objects with `school`, `degree`, `fromYear` and `toYear`, the latest first.
    experience: objects with `organisation`, `title`, `fromYear` and `toYear`, the latest first.
    availability: when they usually have time, in their own time zone: `SA 10:00-14:00`.
    is_public: whether who shares no community with them sees the profile, too, and whether it has a page.
    is_indexed: whether search engines may list that page.
    counts_views: whether its views are counted; null for everybody else. view_count: how many, each visitor once a day;
    null for everybody else, and while they are not counted.
    keeps_last_seen: whether it is noted when they were here; null for everybody else.
    default_address_visibility: to whom their new events show where they are; null for everybody else.
    default_members_visibility: to whom their new events show who takes part; null for everybody else.
    local_push_consent: whether they want to hear of events near their home; null for everybody else.
    last_seen_at: when they were last here, to within five minutes.
    star_count: how many people have starred them, counted up to 10,000.
    follower_count: how many people follow them, counted up to 10,000.
    starred_by_me: whether the viewer has starred them. followed_by_me: whether the viewer follows them.
    updated_at: when they last changed it; null when never. version: counts these changes; give it to `updateMyProfile`.
    privacy: to whom which part is shown; null for everybody else.
    """

    visible = profile_visible
    brief = ("id", "username", "displayName")
    example = {
        "username": "ada",
        "displayName": "Ada",
        "bioShort": "Plays chess, badly.",
        "bioLong": "I like *long* games.",
        "city": "Krakow",
        "country": "PL",
        "latitude": None,
        "longitude": None,
        "approximateLatitude": 50.1,
        "approximateLongitude": 19.9,
        "languages": ["pl", "en"],
        "interests": ["chess"],
        "links": ["https://lichess.org/@/ada"],
        "skills": ["endgames"],
        "education": [{"school": "Jagiellonian University", "degree": "MA", "fromYear": 2008, "toYear": 2013}],
        "experience": [{"organisation": "Chess club", "title": "Treasurer", "fromYear": 2019, "toYear": None}],
        "availability": ["SA 10:00-14:00"],
        "starCount": 3,
        "followerCount": 12,
    }

    id: UUID
    username: str | None = sql(username_of)
    display_name: str = sql(display_name_of)
    bio_short: str | None = only_if(shown("bio_short"))
    bio_long: str | None = only_if(shown("bio_long"))
    city: str | None = only_if(shown("city"))
    country: str | None = only_if(shown("country"))
    latitude: float | None = only_if(is_self)
    longitude: float | None = only_if(is_self)
    approximate_latitude: float | None = sql(rough_latitude_of)
    approximate_longitude: float | None = sql(rough_longitude_of)
    languages: list[str] | None = only_if(shown("languages"))
    interests: list[str] | None = only_if(shown("interests"))
    links: list[str] | None = only_if(shown("links"))
    skills: list[str] | None = only_if(shown("skills"))
    education: Json | None = only_if(shown("education"))
    experience: Json | None = only_if(shown("experience"))
    availability: list[str] | None = only_if(shown("availability"))
    is_public: bool
    is_indexed: bool
    counts_views: bool | None = only_if(is_self)
    view_count: int | None = sql(view_count)
    keeps_last_seen: bool | None = only_if(is_self)
    default_address_visibility: Disclosure | None = only_if(is_self)
    default_members_visibility: Disclosure | None = only_if(is_self)
    local_push_consent: bool | None = only_if(is_self)
    last_seen_at: datetime | None = sql(last_seen_of)
    star_count: int = sql(star_count)
    follower_count: int = sql(follower_count)
    starred_by_me: bool = sql(starred_by_me)
    followed_by_me: bool = sql(followed_by_me)
    updated_at: datetime | None
    version: int
    privacy: ProfilePrivacyView | None = one("id")


def has_username(profile: type[Profile], viewer: Viewer, *, username: ColumnElement[str]) -> ColumnElement[bool]:
    """The name leads to the person: it is theirs, or was until not long ago."""
    name: Any = once_more(Username)
    leads = or_(name.given_up_at.is_(None), name.given_up_at > viewer.now - REDIRECT)
    return profile.id == select(name.user_id).where(name.name == func.lower(username), leads).scalar_subquery()


def of_person(profile: type[Profile], _viewer: Viewer, *, user_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The profile of this person."""
    return profile.id == user_id


@query("GET /users/{username}", "profile", allow=anyone, where=has_username)
def profile(username: str) -> ProfileView | None:
    """The person with a username, if the caller may know of them; a name that was given up leads there for 90 days.

    username: in small letters or large.
    """


@query("GET /users/{user_id}/profile", "profileOfUser", allow=anyone, where=of_person)
def profile_of_user(user_id: UUID) -> ProfileView | None:
    """A person's profile, if the caller may know of them."""


@query("GET /me/profile", "myProfile", allow=signed_in, where=is_self)
def my_profile() -> ProfileView | None:
    """The caller's own profile, as they made it."""


def both_seen(tie: type[Tie], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer sees the profiles at both ends."""
    return and_(of_visible(tie.from_id, viewer), of_visible(tie.to_id, viewer))


class TieView(View, of=Tie):
    """A star or a follow. by: whose it is. person: whom it is for. created_at: since when."""

    visible = both_seen
    orders = {"NEWEST": descending(Tie.created_at)}

    id: UUID
    kind: TieKind
    created_at: datetime
    by: ProfileView | None = one("from_id")
    person: ProfileView | None = one("to_id")


def _to(tie: type[Tie], viewer: Viewer, user_id: ColumnElement[UUID], kind: TieKind) -> ColumnElement[bool]:
    return and_(tie.to_id == user_id, tie.kind == kind, of_visible(user_id, viewer, shown("connections")))


def follows_them(tie: type[Tie], viewer: Viewer, *, user_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Who follows the person."""
    return _to(tie, viewer, user_id, TieKind.FOLLOW)


def stars_them(tie: type[Tie], viewer: Viewer, *, user_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Who has starred the person."""
    return _to(tie, viewer, user_id, TieKind.STAR)


def followed_by_them(tie: type[Tie], viewer: Viewer, *, user_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whom the person follows."""
    shows = of_visible(user_id, viewer, shown("connections"))
    return and_(tie.from_id == user_id, tie.kind == TieKind.FOLLOW, shows)


def my_star(tie: type[Tie], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own stars."""
    return and_(tie.from_id == viewer.user_id, tie.kind == TieKind.STAR)


@query("GET /users/{user_id}/followers", "followers", allow=anyone, where=follows_them, parent=ProfileView)
def followers(user_id: UUID) -> Page[TieView] | None:
    """Who follows a person; empty for whom they do not show it to, null for who may not know of them."""


@query("GET /users/{user_id}/following", "following", allow=anyone, where=followed_by_them, parent=ProfileView)
def following(user_id: UUID) -> Page[TieView] | None:
    """Whom a person follows; empty for whom they do not show it to, null for who may not know of them."""


@query("GET /users/{user_id}/stars", "stargazers", allow=anyone, where=stars_them, parent=ProfileView)
def stargazers(user_id: UUID) -> Page[TieView] | None:
    """Who has starred a person; empty for whom they do not show it to, null for who may not know of them."""


@query("GET /me/stars", "myStars", allow=signed_in, where=my_star)
def my_stars() -> Page[TieView]:
    """Whom the caller has starred."""


def is_own_block(block: type[Block], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own block; who has blocked them they are not told."""
    return block.user_id == viewer.user_id


class BlockView(View, of=Block):
    """Somebody whom the viewer has blocked.

    created_at: since when. person: who it is.
    """

    visible = is_own_block
    orders = {"NEWEST": descending(Block.created_at)}

    id: UUID
    created_at: datetime
    person: UserView = one("blocked_id")


@query("GET /me/blocks", "myBlocks", allow=signed_in)
def my_blocks() -> Page[BlockView]:
    """Whom the caller has blocked, the newest block first."""
