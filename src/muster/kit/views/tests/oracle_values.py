"""What the oracle's world is made of: text that means something to a parser, words to search for, circles, moments."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

HOSTILE = (
    "plain",
    "",
    'double " quotes " and \\ backslash \\n \\u0041 \\',
    "it's '' quoted $1 :name %s {0} $$",
    "new\nline\r\n tab\t and \x01\x1f\x7f\x80 controls",
    "\u2028 line \u2029 paragraph \ufeff mark \u200f right",
    "zażółć gęślą 漢字 한국어 😀👩\u200d👩\u200d👧 e\u0301",
    "</script><script>alert(1)</script><!-- ]]>",
    "'; drop table events; -- ",
    "' || (select email from users limit 1) || '",
    '{"id": null, "nodes": []}',
    '"}],"pageInfo":{"hasNextPage":true}}',
    "null",
    "picnic in the park",
    "the picnic of picnics",
    "long " + "ab\"'\\😀" * 400,
)
WORDS = ("Picnic", "picnic park", '"', "Kraków", "'; drop")
"""Cities, countries and tags; among what is searched for, some as they are and some in another case."""
SEARCHES = ("picnic", "KRAKÓW", "picnic park", '"', "drop -table", "", "the", "😀 or null", "\\'", "quoted $1")
"""What full-text search is asked for."""

CIRCLES = (
    (0.3, 0.33, 5.0),
    (0.0, -179.99, 300.0),
    (-89.0, 12.5, 200.0),
    (51.5, 0.0, 0.001),
    (51.5, -170.0, 7000.0),
    (-33.9, 151.2, 20040.0),
)
"""Where and how far around events are looked for: latitude, longitude, radius."""

BASE = datetime(2031, 5, 1, 18, tzinfo=UTC)
MOMENTS = tuple(
    BASE + step for step in (timedelta(0), timedelta(microseconds=1), timedelta(days=1), timedelta(days=300))
)
"""Few, so that orders have ties."""


STANDINGS = (
    *(["JOINED"] * 6 + ["WAITLIST"] * 3),
    *("LEFT", "KICKED", "PENDING", "INVITED", "REJECTED", "BANNED", "CANCELLED"),
)
"""What people are to an event, the usual ones more often."""


def join_window(dice: random.Random) -> dict[str, Any]:
    """When and how people get into an event, and whether its organisers closed it by hand."""
    allow_late, closed_at = dice.random() < 0.7, dice.choice((None, None, BASE))
    return {
        "join_opens_minutes_before_start": dice.choice((None, 10_080)),
        "join_cutoff_minutes_before_start": dice.choice((None, 30)),
        "allow_join_late": allow_late,
        "late_join_cutoff_minutes_after_start": dice.choice((None, 30)) if allow_late else None,
        "may_ask_again": dice.random() < 0.5,
        "waitlist_policy": dice.choice(("FIFO_STRICT", "BEST_FIT")),
        "offer_minutes": dice.choice((None, 30)),
        "held_count": dice.randint(0, 5),
        "join_closed_at": closed_at,
        "join_close_reason": dice.choice(HOSTILE) if closed_at else None,
    }
