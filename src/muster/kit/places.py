"""Names of countries and time zones, as the data base of the IANA has them."""

from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones


def is_timezone(name: str) -> bool:
    """Whether it is the name of a time zone, such as `Europe/Warsaw`."""
    return name in _timezones()


def is_country(code: str) -> bool:
    """Whether it is the code of a country, in two large letters (ISO 3166)."""
    return code in _countries()


@cache
def _timezones() -> frozenset[str]:
    # To list them walks a folder.
    return frozenset(available_timezones())


@cache
def _countries() -> frozenset[str]:
    lines = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8").splitlines()
    return frozenset(line[:2] for line in lines if not line.startswith("#"))
