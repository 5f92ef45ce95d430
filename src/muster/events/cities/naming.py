"""What countries are called, in the languages that our texts come in."""

import unicodedata
from collections.abc import Mapping
from functools import cache

from babel import Locale

from muster.kit.places import is_country
from muster.kit.words import LANGUAGES

_ALSO: Mapping[str, str] = {
    "usa": "US",
    "united states of america": "US",
    "america": "US",
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "czech republic": "CZ",
    "holland": "NL",
    "the netherlands": "NL",
    "turkey": "TR",
    "russia": "RU",
}
"""Names that people use beside those of CLDR."""


def country_code(said: str) -> str | None:
    """The code of a country (ISO 3166) by its code or name, however it is written; None for what is none."""
    code = said.strip().upper()
    return code if is_country(code) else _names().get(folded(said))


def folded(text: str) -> str:
    """In small letters, without accents and dots, with single spaces."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(plain.casefold().replace(".", "").split())


@cache
def _names() -> Mapping[str, str]:
    called = {
        folded(name): code
        for language in LANGUAGES.values()
        for code, name in Locale.parse(language).territories.items()
        if is_country(code)
    }
    return {**called, **_ALSO}
