"""Tables of contents of the test's own."""

from collections.abc import Iterator

import pytest

from muster.kit.work.handlers import HANDLERS
from muster.kit.work.schedule import SCHEDULE


@pytest.fixture(autouse=True)
def own_tables() -> Iterator[None]:
    """Handlers and schedule start empty, and are put back."""
    handlers, schedule = dict(HANDLERS), dict(SCHEDULE)
    HANDLERS.clear()
    SCHEDULE.clear()
    yield
    HANDLERS.clear()
    SCHEDULE.clear()
    HANDLERS.update(handlers)
    SCHEDULE.update(schedule)
