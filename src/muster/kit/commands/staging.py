"""Staging: many people act, each at a moment of their own, in one transaction. All of it is there, or nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from muster.kit.caller import Actor, Permission
from muster.kit.commands.context import Ctx
from muster.kit.commands.journal import Entry, write_journal
from muster.kit.db.database import Transaction
from muster.settings import Settings


@dataclass
class Stage:
    """Where a story is played before anybody sees it.

    tenant_id: the community it plays in. reason: why the system acts for all these people, for the audit log.
    """

    db: Transaction
    tenant_id: UUID
    settings: Settings
    reason: str
    request_id: str

    @asynccontextmanager
    async def act(self, verb: str, user_id: UUID | None, at: datetime, *permissions: Permission) -> AsyncIterator[Ctx]:
        """The context of one command, journalled where something happened. A community that it founds is entered.

        user_id: for whom the system acts. at: the moment; facts of one story need not come in order of time.
        """
        actor = Actor("system", user_id=user_id, reason=self.reason)
        ctx = Ctx(
            self.db, self.tenant_id, actor, at, self.request_id, self.settings, permissions=frozenset(permissions)
        )
        yield ctx
        if ctx.has_happened:
            await write_journal(ctx, Entry(verb=verb, outcome="done"))
        self.tenant_id = ctx.tenant_id
