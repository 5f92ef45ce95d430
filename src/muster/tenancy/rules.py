"""Decisions of tenancy: which slugs, names and looks a community may have."""

from enum import StrEnum

from muster.kit.places import is_country, is_timezone
from muster.kit.text import as_id

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
