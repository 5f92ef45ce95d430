"""When somebody was last here: noted as they ask, written coarsely and at most once in five minutes, and not against their will."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from muster.kit.caller import Bearer
from muster.kit.db.database import Database
from muster.kit.ids import new_id
from muster.profiles.sightings import Sightings
from muster.testing.below import ask, value
from muster.testing.people import Person, sign_in
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)
_SEEN = "select seen_at from sightings where id = $1"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(town: Town) -> AsyncIterator[Database]:
    database = await Database.open(town.service.urls.app, size=4)
    yield database
    await database.close()


async def _session(town: Town, person: Person) -> UUID:
    found: UUID = await value(town.service.urls, "select id from sessions where user_id = $1", person.user_id)
    return UUID(int=found.int)


async def test_who_asks_is_noted_and_written_to_within_five_minutes(town: Town, database: Database) -> None:
    person = await sign_in(town.service, "ada seen")
    session_id, sightings = await _session(town, person), Sightings()
    read = sightings.noting(lambda token, now: Bearer(person.user_id, session_id) if token == "good" else None)
    assert read("good", NOON) == Bearer(person.user_id, session_id)
    assert read("bad", NOON) is None
    await sightings.write(database, [], NOON + timedelta(minutes=4, seconds=59))
    assert await value(town.service.urls, _SEEN, person.user_id) == NOON
    # What was written is not noted any more, and nothing goes back.
    await sightings.write(database, [], NOON + timedelta(minutes=7))
    assert await value(town.service.urls, _SEEN, person.user_id) == NOON
    await sightings.write(database, [session_id], NOON + timedelta(minutes=7))
    await sightings.write(database, [session_id], NOON)
    assert await value(town.service.urls, _SEEN, person.user_id) == NOON + timedelta(minutes=5)


async def test_a_row_is_written_once_in_five_minutes(town: Town, database: Database) -> None:
    person = await sign_in(town.service, "bob seen")
    session_id, sightings = await _session(town, person), Sightings()
    version = "select xmin::text, ctid::text from sightings where id = $1"
    await sightings.write(database, [session_id], NOON)
    before = await ask(town.service.urls, version, person.user_id)
    await sightings.write(database, [session_id], NOON + timedelta(minutes=4))
    assert (await ask(town.service.urls, version, person.user_id))[0][1] == before[0][1]


async def test_ended_sessions_nobody_s_and_who_does_not_want_it_are_not_written(town: Town, database: Database) -> None:
    shy, gone = await sign_in(town.service, "shy seen"), await sign_in(town.service, "gone seen")
    (await shy.client.call("updateMyProfile", input={"keepsLastSeen": False})).ok()
    sessions = [await _session(town, each) for each in (shy, gone)]
    (await gone.client.call("logout")).ok()
    await Sightings().write(database, [*sessions, new_id()], NOON)
    for person in (shy, gone):
        assert await value(town.service.urls, _SEEN, person.user_id) is None
