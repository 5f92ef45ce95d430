"""When people were last here: which sessions ask is noted in memory, and every five minutes they are written, at once.

So a request costs no statement, and a person's row is written once in five minutes however much they ask. What a process
that dies has noted is lost.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import Session
from muster.kit.caller import Bearer
from muster.kit.db.database import Database
from muster.kit.db.failures import as_client_error
from muster.kit.db.statements import Nothing, Statement
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.endpoints.cookies import ReadToken
from muster.profiles.rules import COARSE, coarse
from muster.profiles.tables import Profile, Sighting

log = structlog.get_logger()

_SESSIONS = bindparam("sessions", type_=ARRAY(Uuid()))
_alive = select(Session.user_id).where(Session.id == any_(_SESSIONS), Session.revoked_at.is_(None))
_wanted = (
    select(Profile.id, bindparam("moment", type_=Sighting.seen_at.type))
    .where(Profile.id.in_(_alive), Profile.keeps_last_seen)
    .order_by(Profile.id)
    # Who turns it off meanwhile holds this row, and what they turned off is seen when they let go. Processes that write
    # at once do so in one order.
    .with_for_update(read=True, of=Profile)
)
_put = insert(Sighting).from_select(["id", "seen_at"], _wanted)
_PUT = Statement(
    Nothing,
    _put.on_conflict_do_update(
        index_elements=["id"],
        set_={"seen_at": _put.excluded.seen_at},
        where=Sighting.seen_at < _put.excluded.seen_at,
    ),
)


class Sightings:
    """The sessions that a process has seen since it last wrote."""

    def __init__(self) -> None:
        self._sessions: set[UUID] = set()

    def noting(self, read: ReadToken) -> ReadToken:
        """What reads a token, noting whose session it is."""

        def noted(token: str, now: datetime) -> Bearer | None:
            bearer = read(token, now)
            if bearer is not None:
                self._sessions.add(bearer.session_id)
            return bearer

        return noted

    async def run(self, database: Database, connected: Callable[[], Iterable[UUID]]) -> None:
        """Write every five minutes, until cancelled. connected: the sessions that have something open."""
        while True:
            await asyncio.sleep(COARSE.total_seconds())
            try:
                await self.write(database, connected(), datetime.now(UTC))
            except Exception as error:
                if as_client_error(error) is None:
                    log.exception("sightings.failed")

    async def write(self, database: Database, connected: Iterable[UUID], now: datetime) -> None:
        """Write once, and forget what was noted. A session that has ended counts no more."""
        sessions, self._sessions = {*self._sessions, *connected}, set()
        if sessions:
            async with database.transaction(PLATFORM_TENANT) as tx:
                await tx.run(_PUT, sessions=list(sessions), moment=coarse(now))
