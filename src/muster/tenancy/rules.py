"""Decisions of tenancy: which slugs, names and looks a community may have, and who comes into it."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

import idna

from muster.kit.caller import TenantStatus
from muster.kit.places import is_country, is_timezone
from muster.kit.text import as_id
from muster.tenancy.tables import JoinPolicy, MemberStatus

RESERVED = frozenset(
    {
        *("admin", "api", "app", "assets", "auth", "blog", "cdn", "dev", "docs", "graphql", "health", "help", "home"),
        *("login", "mail", "main", "media", "metrics", "muster", "ns1", "ns2", "platform", "root", "smtp", "static"),
        *("status", "support", "system", "test", "webhooks", "www"),
    }
)
"""Slugs that nobody gets: they are ours, or people would take them for ours."""


class Term(StrEnum):
    """What communities call by other names."""

    COMMUNITY = "COMMUNITY"
    EVENT = "EVENT"
    MEMBER = "MEMBER"
    TEAM = "TEAM"
    CONTEST = "CONTEST"
    QUESTION = "QUESTION"


def slug_problem(slug: str) -> str | None:
    """What is wrong with a slug that has the right form; None is nothing."""
    if as_id(slug) is not None:
        return "must not look like an id, which X-Tenant takes too"
    return "is reserved; choose another" if slug in RESERVED else None


def place_problems(timezone: str, country: str | None) -> dict[str, str]:
    """What is wrong with where a community is, by field."""
    found = {} if is_timezone(timezone) else {"timezone": "must be the IANA name of a time zone, such as Europe/Warsaw"}
    if country is not None and not is_country(country):
        found["country"] = "must be the code of a country in ISO 3166, such as PL"
    return found


GRACE = timedelta(days=30)
"""How long a community that is to be deleted can be restored."""
OFFER_LIFETIME = timedelta(days=7)
"""How long somebody may think about owning a community."""


class Deed(Enum):
    """What is done to the life of a community."""

    ARCHIVE = auto()
    UNARCHIVE = auto()
    SUSPEND = auto()
    RESUME = auto()


LIFE: dict[Deed, tuple[frozenset[TenantStatus], TenantStatus]] = {
    Deed.ARCHIVE: (frozenset({TenantStatus.ACTIVE}), TenantStatus.ARCHIVED),
    Deed.UNARCHIVE: (frozenset({TenantStatus.ARCHIVED}), TenantStatus.ACTIVE),
    Deed.SUSPEND: (frozenset({TenantStatus.ACTIVE, TenantStatus.ARCHIVED}), TenantStatus.SUSPENDED),
    Deed.RESUME: (frozenset({TenantStatus.SUSPENDED}), TenantStatus.ACTIVE),
}
"""From where each deed leads to where. What is there already is left as it is; from anywhere else it is refused."""


def can_restore(status: TenantStatus, deletes_at: datetime | None, now: datetime) -> bool:
    """Whether a community is to be deleted, and not yet."""
    return status == TenantStatus.DELETING and deletes_at is not None and now < deletes_at


OWNER = "owner"
"""The role that nobody is given: it is handed over, whole."""


class Way(StrEnum):
    """How somebody comes in."""

    OPEN = "OPEN"
    REQUEST = "REQUEST"
    MAIL = "MAIL"
    LINK = "LINK"


class Admission(Enum):
    """What becomes of somebody who comes."""

    UNCHANGED = auto()
    NEW = auto()
    BACK = auto()
    SUSPENDED = auto()
    REMOVED = auto()


# Somebody decided on this one person, so they may come back although they were removed.
_PERSONAL = (Way.REQUEST, Way.MAIL)
_SEATED = {MemberStatus.ACTIVE: Admission.UNCHANGED, MemberStatus.SUSPENDED: Admission.SUSPENDED}


def decide_admission(status: MemberStatus | None, way: Way) -> Admission:
    """What becomes of somebody with this membership, or none, who comes this way.

    Who was removed comes back by a decision about them alone, never by a door that is open to everybody; who is
    suspended by no door at all.
    """
    if status is None:
        return Admission.NEW
    if status in _SEATED:
        return _SEATED[status]
    if status == MemberStatus.REMOVED and way not in _PERSONAL:
        return Admission.REMOVED
    return Admission.BACK


def has_room(taken: int, most: int | None) -> bool:
    """Whether one more may come where so many seats are taken; suspended members keep theirs."""
    return most is None or taken < most


class Door(Enum):
    """What somebody meets who wants in without an invitation."""

    OPEN = auto()
    ASK = auto()
    SHUT = auto()
    HIDDEN = auto()


_DOORS = {JoinPolicy.OPEN: Door.OPEN, JoinPolicy.REQUEST: Door.ASK}


def decide_door(policy: JoinPolicy, *, is_open: bool, is_known: bool) -> Door:
    """What somebody meets at a community.

    is_open: it is neither closed nor about to be deleted. is_known: everybody may know that there is it.
    """
    if not is_open:
        return Door.HIDDEN
    return _DOORS.get(policy, Door.SHUT if is_known else Door.HIDDEN)


LETTERS_AN_HOUR = 3
"""So often one invitation is mailed."""
_HOUR = timedelta(hours=1)


def count_letter(letters: int, since: datetime, now: datetime) -> tuple[int, datetime] | None:
    """The number of letters and the beginning of their hour, with one more; None when this hour has had its share."""
    if now - since >= _HOUR:
        return 1, now
    return (letters + 1, since) if letters < LETTERS_AN_HOUR else None


MOST_DOMAINS = 5
"""Domains that one community may name."""
PATIENCE = timedelta(days=7)
"""How long a domain stays a community's whose record is not there any more."""
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def domain_of(text: str) -> str | None:
    """A domain in its one form: in ASCII (IDNA 2008), small letters, no dot at its end; None for what is none.

    An address is none, nor is a name without a dot.
    """
    try:
        name = idna.encode(text.strip().rstrip("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None
    labels = name.split(".")
    well_formed = len(name) <= 253 - len(CHALLENGE) and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    return name if well_formed and not labels[-1].isdecimal() else None


CHALLENGE = "_muster-challenge."
"""What stands before a domain in the name of the record that proves it."""


def is_within(name: str, others: Iterable[str]) -> bool:
    """Whether a domain is one of some others, or below one, or above one: none of these is a community's to name."""
    return any(name == each or name.endswith(f".{each}") or each.endswith(f".{name}") for each in others)
