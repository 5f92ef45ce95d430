"""What a command is given: the transaction, the actor, the moment, and a place to say what happened."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from muster.kit.brand import BrandOf, house_brand
from muster.kit.caller import Actor, Gate, Gives, Origin, Permission, gives_nothing
from muster.kit.commands.crowds import Crowds
from muster.kit.commands.facts import Fact
from muster.kit.commands.lines import Lines
from muster.kit.db.database import Database, Transaction
from muster.kit.db.replicas import Replicas
from muster.kit.db.statements import Nothing, Statement
from muster.kit.errors import Unauthenticated
from muster.kit.limiter import Limiter
from muster.settings import Settings

Write: TypeAlias = tuple[Statement[Nothing], dict[str, object]]
"""A statement over rows that are `given`, and one of those rows."""


class Signals(Protocol):
    """The way to whoever follows something live, for what is kept nowhere."""

    def tell(self, name: str, topic_id: UUID, origin: Origin, signal: Callable[[UUID], Any]) -> Awaitable[None]:
        """Tell the followers of a subscription what `signal` makes of who tells it. Raises what following it raises."""


@dataclass(frozen=True)
class Services:
    """What a command's `prepare` may use, and what every command runs on.

    wake: called after a commit that left facts in the outbox, so that nobody has to wait for the next poll.
    limiter: holds nobody back unless it is given rules.
    signals: None in a process that nobody follows anything in.
    brand_of: how the pages and mails of a tenant look.
    replicas: what may answer reads that may be behind, where a setting names any.
    """

    database: Database
    settings: Settings
    gate: Gate
    wake: Callable[[], None]
    lines: Lines = field(default_factory=Lines)
    crowds: Crowds = field(default_factory=Crowds)
    limiter: Limiter = field(default_factory=Limiter)
    signals: Signals | None = None
    replicas: Replicas | None = None
    brand_of: BrandOf = house_brand


@dataclass
class Ctx:
    """The context of one command in one transaction.

    db: runs statements under the tenant. now: the only clock a command may read. session_id: of the signed-in device.
    permissions: what the caller's role gives. gives: what any role of the tenant gives. address, agent: of the client,
    where there is one. cause: the fact that a handler follows, and the key of what it does.
    """

    db: Transaction
    tenant_id: UUID
    actor: Actor
    now: datetime
    request_id: str
    settings: Settings
    session_id: UUID | None = None
    permissions: frozenset[Permission] = frozenset()
    address: str | None = None
    agent: str | None = None
    cause: UUID | None = None
    gives: Gives = gives_nothing
    facts: list[Fact] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)

    @property
    def user_id(self) -> UUID:
        """The person who acts. Raises Unauthenticated when it is nobody or the system."""
        if self.actor.user_id is None:
            raise Unauthenticated
        return self.actor.user_id

    def as_viewer(self) -> dict[str, object]:
        """The parameters of `REQUEST`, of who acts: for statements that ask what a viewer sees. Raises Unauthenticated."""
        return {"viewer": self.user_id, "tenant": str(self.tenant_id), "now": self.now, "session": self.session_id}

    def may(self, permission: Permission) -> bool:
        """Whether the caller's role in this tenant gives the permission."""
        return permission in self.permissions

    def record(self, fact: Fact) -> None:
        """Say that something happened. It is written with the transaction, or not at all."""
        self.facts.append(fact)

    def write(self, statement: Statement[Nothing], **row: object) -> None:
        """Have one more of a statement's `given` rows written. All of them go with the journal, in one trip to the
        database, so nothing that the command still reads sees them; statements must not touch each other's rows.
        """
        self.writes.append((statement, row))

    @property
    def has_happened(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.facts or self.writes)

    def act_as(self, user_id: UUID) -> None:
        """From here on this person acts: who registers or signs in becomes somebody half-way.

        Where the system acts, it still does, on the person's behalf.
        """
        actor = self.actor
        self.actor = Actor("system" if actor.kind == "system" else "person", user_id=user_id, reason=actor.reason)

    async def enter(self, tenant_id: UUID) -> None:
        """From here on the transaction is under another tenant: the one that this command has just made."""
        await self.db.enter(tenant_id)
        self.tenant_id = tenant_id
