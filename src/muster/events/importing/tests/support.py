"""What the tests of the readers share."""

from pathlib import Path

from muster.events.importing.formats import read_rows
from muster.events.importing.records import Arrival, Refused, arrival


def become(file: Path) -> list[Arrival | str]:
    """What becomes of each row of a file: it comes in, or why not."""
    found: list[Arrival | str] = []
    for row in read_rows(file):
        try:
            found.append(arrival(row))
        except Refused as refusal:
            found.append(refusal.problems[0].message)
    return found
