"""SQL predicates of profiles: who sees one, and what of it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from muster.identity.predicates import not_blocked
from muster.identity.tables import User
from muster.kit.db.tables import once_more
from muster.kit.views.view import Predicate, Viewer
from muster.profiles.tables import Audience, Profile
from muster.tenancy.tables import Member, MemberStatus


def is_self(profile: type[Profile], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own profile."""
    return profile.id == viewer.user_id


def shares_community(profile: type[Profile], viewer: Viewer) -> ColumnElement[bool]:
    """Both are active members of the community that the request is in.

    Row security shows no member of any other, so what two people share elsewhere tells nobody anything here.
    """
    return and_(_is_member(viewer.user_id), _is_member(profile.id))


def _is_member(user_id: Any) -> ColumnElement[bool]:
    member = once_more(Member)
    return select(member.id).where(member.user_id == user_id, member.status == MemberStatus.ACTIVE).exists()


def is_known(profile: type[Profile], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer may know that there is such a person: themselves, who shares the community, who shows themselves to all.

    Whoever has closed their account is gone for others, though they may still come back.
    """
    shows = or_(profile.is_public, shares_community(profile, viewer))
    return or_(is_self(profile, viewer), and_(shows, _is_open(profile.id)))


def _is_open(user_id: Any) -> ColumnElement[bool]:
    user = once_more(User)
    return select(user.id).where(user.id == user_id, user.closed_at.is_(None)).exists()


def profile_visible(profile: type[Profile], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer may know of the person, and neither has blocked the other."""
    return and_(is_known(profile, viewer), not_blocked(viewer.user_id, profile.id))


def shown(name: str) -> Predicate:
    """Whether a viewer who sees a profile is shown this of it. name: as in `AUDIENCES`."""

    def is_shown(profile: Any, viewer: Viewer) -> ColumnElement[bool]:
        audience = getattr(profile, f"{name}_for")
        return or_(
            is_self(profile, viewer),
            audience == Audience.EVERYONE,
            and_(audience == Audience.MEMBERS, shares_community(profile, viewer)),
        )

    return is_shown


def of_visible(
    person_id: Any, viewer: Viewer, *also: Callable[[Any, Viewer], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """The viewer sees a person's profile. also: what has to hold of it besides."""
    profile: Any = once_more(Profile)
    return (
        select(profile.id)
        .where(profile.id == person_id, profile_visible(profile, viewer), *(each(profile, viewer) for each in also))
        .exists()
    )
