"""In development only: the header `X-User-Id` says who asks, with no token at all."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from muster.identity import queries as accounts
from muster.identity.queries.named_sessions import put_named_session
from muster.kit.caller import Bearer
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.kit.errors import Unauthenticated
from muster.kit.ids import new_id
from muster.kit.processes import CannotRun
from muster.kit.text import as_id
from muster.settings import Settings

_LASTS = timedelta(days=1)


def takes_dev_users(settings: Settings) -> bool:
    """Whether the header is looked at."""
    return settings.environment == "development"


class DevUsers:
    """Takes people's ids for people."""

    def __init__(self, services: Services, default_tenant: UUID) -> None:
        if not takes_dev_users(services.settings):
            raise CannotRun("X-User-Id is taken in development alone.")
        self._services = services
        self._tenant_id = default_tenant
        self._known: dict[UUID, tuple[Bearer, datetime]] = {}

    async def bearer(self, named: str, address: str | None, agent: str | None, now: datetime) -> Bearer:
        """Whom the header names, in a session that lasts a day. Raises Unauthenticated for nobody."""
        user_id = as_id(named)
        if user_id is None:
            raise Unauthenticated("X-User-Id is no id of an account.")
        bearer, expires_at = self._known.get(user_id, (None, now))
        if bearer is None or expires_at <= now:
            bearer, expires_at = await self._enter(user_id, address, agent, now)
            self._known[user_id] = (bearer, expires_at)
        return bearer

    async def _enter(
        self, user_id: UUID, address: str | None, agent: str | None, now: datetime
    ) -> tuple[Bearer, datetime]:
        # A day's session has a name of its own, so that one that was revoked is over for that day.
        name = hashlib.sha256(f"development session {user_id} {now.date()}".encode()).digest()
        session_id, expires_at = UUID(bytes=name[:16], version=5), now + _LASTS
        async with system_transaction(
            self._services,
            tenant_id=self._tenant_id,
            verb="devUser",
            reason="X-User-Id",
            now=now,
            request_id=str(new_id()),
        ) as ctx:
            ctx.address, ctx.agent = address, agent
            life = await accounts.life_of(ctx.db, user_id)
            if life is None or any((life.closed_at, life.ended_at, life.disabled_at)):
                raise Unauthenticated("X-User-Id names no open account.")
            await put_named_session(ctx, session_id, user_id=user_id, expires_at=expires_at)
        return Bearer(user_id, session_id), expires_at
