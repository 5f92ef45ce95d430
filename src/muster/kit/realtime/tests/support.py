"""What the tests of streams share: people who act through real commands, and clients that follow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

import muster.slices  # noqa: F401 - importing it declares every command and subscription
from muster.access.gate import GATE
from muster.identity.commands import token_keys
from muster.kit.caller import Claim, Origin
from muster.kit.commands.command import COMMANDS
from muster.kit.commands.context import Services
from muster.kit.commands.run import run_command
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.stream import Stream, StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.store.store import Store
from muster.kit.views.picks import Pick
from muster.kit.work.sequencer import Sequencer
from muster.settings import Settings
from muster.tenancy.queries import find_default_tenant

MESSAGE = (Pick("cursor", "cursor"), Pick("message", "message", picks=(Pick("content", "content"),)))
"""What the tests ask of `eventMessageAdded`."""


def origin_of(claim: Claim) -> Origin:
    """The origin of a request that somebody makes now."""
    return Origin(claim, datetime.now(UTC), f"test-{new_id()}")


@dataclass(frozen=True)
class Community:
    """The default community on a database of the test's own, with a sequencer at work."""

    urls: Urls
    services: Services
    tenant_id: UUID

    @property
    def database(self) -> Database:
        """The pool of the API's role."""
        return self.services.database

    async def run(self, claim: Claim, command: str, **arguments: Any) -> Any:
        """Run a command as `claim`; answers with what it returned."""
        declared = COMMANDS[command]
        raw = msgspec.to_builtins(arguments)
        done = await run_command(self.services, declared, origin_of(claim), declared.arguments.read(raw))
        return done.result

    async def person(self, name: str) -> Claim:
        """Sign somebody in on a new device."""
        session = await self.run(Claim(self.tenant_id), "devLogin", name=name)
        identity = token_keys(self.services.settings.security).read(session.access_token, datetime.now(UTC))
        assert identity is not None
        return Claim(self.tenant_id, identity.user_id, identity.session_id)

    async def event(self, owner: Claim, *, max: int | None = None) -> UUID:
        """Publish an event that everybody may join, until it is full."""
        starts_at = datetime.now(UTC) + timedelta(days=1)
        details = {
            "title": "An evening",
            "startsAt": starts_at,
            "endsAt": starts_at + timedelta(hours=2),
            "timezone": "UTC",
            "meetingKind": "ONLINE",
            "onlineUrl": "https://meet.example",
            "max": max,
        }
        draft = await self.run(owner, "createEvent", input=details)
        event_id: UUID = draft.row_id
        await self.run(owner, "publishEvent", id=event_id)
        return event_id

    async def say(self, speaker: Claim, event_id: UUID, content: str) -> None:
        """Say something in an event's room."""
        await self.run(speaker, "sendEventMessage", eventId=event_id, content=content)

    @asynccontextmanager
    async def hub(self, store: Store | None = None) -> AsyncIterator[Hub]:
        """A hub, as one API process has one. store: what it shares with others."""
        hub = Hub(self.database, GATE, self.urls.app, store)
        async with hub.running():
            yield hub


@asynccontextmanager
async def community(urls: Urls, store: Store | None = None) -> AsyncIterator[Community]:
    """Open the default community and sequence its facts. store: where the sequencer says so, too."""
    stop, sequencer = asyncio.Event(), Sequencer(urls.worker, store)
    async with AsyncExitStack() as stack:
        database = await Database.open(urls.app, size=10)
        stack.push_async_callback(database.close)
        settings = Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32})
        sequencing = asyncio.create_task(sequencer.run(stop))
        services = Services(database, settings, GATE, sequencer.wake)
        yield Community(urls, services, await find_default_tenant(database))
        stop.set()
        sequencer.wake()
        await sequencing


def messages_of(event_id: UUID, after: str | None = None, picks: tuple[Pick, ...] = MESSAGE) -> StreamRequest:
    """What follows the messages of an event."""
    subscription = SUBSCRIPTIONS["eventMessageAdded"]
    return StreamRequest(subscription, "added", picks, (), {"event_id": event_id}, after)


async def heard(stream: Stream, *, seconds: float = 10) -> tuple[str, str]:
    """The content and cursor of the next message."""
    async with asyncio.timeout(seconds):
        element = msgspec.json.decode(await anext(stream))["data"]["added"]
    return element["message"]["content"], element["cursor"]
