"""What a topic may be called, without SQL."""

import re

from muster.events.topics.tables import TopicKind

# A category stands in addresses of pages; a tag is a word as people write it, in small letters.
_SLUGS = {
    TopicKind.CATEGORY: (
        re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"),
        "small letters a to z and digits, with hyphens between",
    ),
    TopicKind.TAG: (re.compile(r"\S+( \S+)*"), "words in small letters"),
}

STARTERS: dict[str, dict[str, str]] = {
    "arts": {"en": "Art and crafts", "de": "Kunst und Handwerk", "pl": "Sztuka i rękodzieło"},
    "books": {"en": "Books and writing", "de": "Bücher und Schreiben", "pl": "Książki i pisanie"},
    "business": {"en": "Work and business", "de": "Beruf und Wirtschaft", "pl": "Praca i biznes"},
    "dance": {"en": "Dance", "de": "Tanz", "pl": "Taniec"},
    "faith": {"en": "Faith", "de": "Glaube", "pl": "Wiara"},
    "family": {"en": "Families and children", "de": "Familie und Kinder", "pl": "Rodzina i dzieci"},
    "film": {"en": "Film and photography", "de": "Film und Fotografie", "pl": "Film i fotografia"},
    "food": {"en": "Food and drink", "de": "Essen und Trinken", "pl": "Jedzenie i picie"},
    "games": {"en": "Games", "de": "Spiele", "pl": "Gry"},
    "health": {"en": "Health and wellbeing", "de": "Gesundheit und Wohlbefinden", "pl": "Zdrowie i samopoczucie"},
    "languages": {"en": "Languages", "de": "Sprachen", "pl": "Języki"},
    "learning": {"en": "Learning", "de": "Lernen", "pl": "Nauka"},
    "music": {"en": "Music", "de": "Musik", "pl": "Muzyka"},
    "neighbourhood": {"en": "Neighbourhood", "de": "Nachbarschaft", "pl": "Sąsiedztwo"},
    "outdoors": {"en": "Outdoors and nature", "de": "Draußen und Natur", "pl": "Plener i przyroda"},
    "science": {"en": "Science", "de": "Wissenschaft", "pl": "Nauka i odkrycia"},
    "social": {"en": "Meeting people", "de": "Leute treffen", "pl": "Poznawanie ludzi"},
    "sports": {"en": "Sports", "de": "Sport", "pl": "Sport"},
    "tech": {"en": "Technology", "de": "Technik", "pl": "Technologia"},
    "travel": {"en": "Travel", "de": "Reisen", "pl": "Podróże"},
    "volunteering": {"en": "Volunteering", "de": "Ehrenamt", "pl": "Wolontariat"},
}
"""Categories that a community may begin with: slugs, and their names by language."""


def slug_problem(kind: TopicKind, slug: str) -> str | None:
    """What is wrong with a slug; None when nothing is."""
    shape, told = _SLUGS[kind]
    return None if shape.fullmatch(slug) and slug == slug.lower() else f"must be {told}"
