"""Words: every language says the same, values stand where they belong, and nothing in them is looked into again."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

import muster.handlers  # noqa: F401 - declares every mail
from muster.kit.endpoints.accept import preferred_language
from muster.kit.mail.kinds import KINDS
from muster.kit.words import (
    FALLBACK,
    LANGUAGES,
    Section,
    WordsMissing,
    language_of,
    places_in,
    section,
    slices_with_words,
    words_of,
)

MAILS = sorted(
    name
    for name, kind in KINDS.items()
    if ".tests." not in kind.__module__ and "bench" not in kind.__module__ and not kind.__subclasses__()
)
SAID = Section("test.said", "en", {"subject": "{who} left", "paragraphs": ["{who}, at {at}", "Because: {why}"]})


@pytest.mark.parametrize("slice_", slices_with_words())
def test_every_language_has_the_same_texts_about_the_same_values(slice_: str) -> None:
    told = {
        language: {name: sorted(places_in(texts)) for name, texts in words.items()}
        for language, words in words_of(slice_).items()
    }
    assert list(told) == list(LANGUAGES)
    assert all(words == told[FALLBACK] for words in told.values())


@pytest.mark.parametrize("kind", MAILS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_has_its_words(kind: str, language: str) -> None:
    words = KINDS[kind].words(language)
    assert {"subject", "paragraphs"} <= set(words.texts) <= {"subject", "paragraphs", "button", "footnote"}


def test_a_value_stands_where_it_belongs_and_is_not_looked_into() -> None:
    assert SAID.text("subject", {"who": "{why} <b>"}) == "{why} <b> left"


def test_what_speaks_of_nothing_is_left_out() -> None:
    at = datetime(2026, 12, 24, 18, 30, tzinfo=ZoneInfo("Europe/Warsaw"))
    assert SAID.texts_of("paragraphs", {"who": "Ann", "at": at, "why": None}) == (
        "Ann, at Thursday, 24 December 2026, 18:30 (Europe/Warsaw)",
    )
    assert SAID.text("footnote") is None


def test_a_value_that_was_not_given_is_a_mistake() -> None:
    with pytest.raises(WordsMissing, match=r"test\.said .* 'who'"):
        SAID.text("subject")


@pytest.mark.parametrize("name", ["identity.nothing", "nowhere.verify"])
def test_words_that_are_not_there_are_a_mistake(name: str) -> None:
    with pytest.raises(WordsMissing):
        section(name, "en")


@pytest.mark.parametrize(
    ("locales", "language"),
    [(("de-AT",), "de"), (("PL_pl",), "pl"), (("sv", "pl"), "pl"), ((None, "de"), "de"), (("sv",), "en"), ((), "en")],
)
def test_the_first_language_that_there_are_words_in(locales: tuple[str | None, ...], language: str) -> None:
    assert language_of(*locales) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de-AT,en;q=0.8", "de"),
        ("en;q=0.5, pl;q=0.9", "pl"),
        ("fr, sv;q=0.9", "en"),
        ("de;q=0, pl;q=0.1", "pl"),
        ("*", "en"),
        ("de;q=x, ;;,", "en"),
    ],
)
def test_a_browser_says_what_its_person_reads(header: str | None, language: str) -> None:
    assert preferred_language(header, tuple(LANGUAGES)) == language
