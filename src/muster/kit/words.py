"""Words: what people read in mails and on pages, in every language, from `<slice>/words/<language>.toml`.

A file has a section for each mail and each page, with the same keys in every language. `{name}` in a text stands for
a value; what a value holds is never looked into again.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from babel.dates import format_date, format_time

import muster

LANGUAGES: Mapping[str, str] = {"en": "en_GB", "de": "de_DE", "pl": "pl_PL"}
"""The languages there are, and whose habits their dates follow."""
FALLBACK = "en"
"""The language of who has chosen none of them."""

Value: TypeAlias = str | int | datetime | None
"""What may stand in a text. A moment is told in its own time zone; None leaves out the text that speaks of it."""
Values: TypeAlias = Mapping[str, Value]

_PLACE = re.compile(r"\{([a-z_]+)\}")


class WordsMissing(LookupError):
    """A mail or page speaks of what no file of words has, or of a value that it was not given."""


@dataclass(frozen=True)
class Section:
    """The words of one mail or one page in one language."""

    name: str
    language: str
    texts: Mapping[str, str | list[str]]

    def text(self, key: str, values: Values = MappingProxyType({})) -> str | None:
        """A text with its values; None where there is no such text, or nothing of what it speaks of.

        Raises WordsMissing for a value that was not given.
        """
        found = self.texts.get(key)
        return self._filled(found, values) if isinstance(found, str) else None

    def texts_of(self, key: str, values: Values = MappingProxyType({})) -> tuple[str, ...]:
        """The texts of a list, without those that speak of nothing. Raises WordsMissing as `text` does."""
        found = self.texts.get(key, [])
        filled = (self._filled(each, values) for each in ([found] if isinstance(found, str) else found))
        return tuple(each for each in filled if each is not None)

    def _filled(self, text: str, values: Values) -> str | None:
        names = _PLACE.findall(text)
        if missing := [name for name in names if name not in values]:
            raise WordsMissing(f"{self.name} ({self.language}) speaks of {missing[0]!r}, which it was not given")
        told = {name: _told(values[name], self.language) for name in names}
        if None in told.values():
            return None
        return _PLACE.sub(lambda place: told[place[1]] or "", text)


def language_of(*locales: str | None) -> str:
    """The first language that there are words in, of locales such as `de-AT`; the fallback where there is none."""
    found = ((each or "").replace("_", "-").split("-")[0].lower() for each in locales)
    return next((each for each in found if each in LANGUAGES), FALLBACK)


def section(name: str, language: str) -> Section:
    """The words of a mail or page, by slice and section: `identity.verify`. Raises WordsMissing."""
    slice_, _, rest = name.partition(".")
    texts = words_of(slice_).get(language, {}).get(rest)
    if texts is None:
        raise WordsMissing(f"{name}: there is no such section in {slice_}/words/{language}.toml")
    return Section(name, language, texts)


@cache
def words_of(slice_: str) -> Mapping[str, Mapping[str, Mapping[str, str | list[str]]]]:
    """All words of a slice, by language and section. Raises WordsMissing where the slice has none."""
    folder = Path(muster.__file__).parent / slice_ / "words"
    if not folder.is_dir():
        raise WordsMissing(f"{slice_} has no folder of words")
    return {
        language: tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8")) for language in LANGUAGES
    }


def slices_with_words() -> list[str]:
    """The slices that have words."""
    return sorted(each.parent.name for each in Path(muster.__file__).parent.glob("*/words"))


def places_in(texts: Mapping[str, str | list[str]]) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """For each key how many texts it has, and the values they speak of, by which one language is held against another."""
    for key, found in texts.items():
        each = [found] if isinstance(found, str) else found
        yield key, len(each), tuple(sorted({name for text in each for name in _PLACE.findall(text)}))


def _told(value: Value, language: str) -> str | None:
    if not isinstance(value, datetime):
        return None if value is None else str(value)
    day = format_date(value, "full", LANGUAGES[language])
    return f"{day}, {format_time(value, 'short', locale=LANGUAGES[language])} ({value.tzinfo})"
