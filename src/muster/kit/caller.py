"""Who is calling: what a request claims, what the database says of it, and who may come in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Literal, NamedTuple, NewType
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, DateTime, Text, Uuid, bindparam, cast, func, select

from muster.kit.db.database import Transaction
from muster.kit.db.statements import SqlText, to_text
from muster.kit.db.tables import TENANT_SETTING
from muster.kit.errors import AppError, Conflict, Denied, Gone, NotFound, Unauthenticated
from muster.kit.tallies import Arrival

Permission = NewType("Permission", str)
"""A name `resource:action`; the access slice keeps the catalogue."""
_OVER = ("Your session has ended; sign in again.", "This API key or its holder's membership is over.")
ACT = Permission("self:act")
"""What an API key needs for commands that ask for no permission of their own; no role needs to give it."""
KEY_PREFIX = "mk_live_"
"""How API keys begin."""


class Claim(msgspec.Struct, frozen=True):
    """What a request says of itself, before the database has confirmed any of it.

    tenant_id: the tenant it wants to enter. user_id, session_id: from a token with a good signature, or None.
    by: who of the platform's staff acts as that person; `session_id` is of the impersonation then.
    scopes: of an API key, whose id is the session's then; None is no key.
    """

    tenant_id: UUID
    user_id: UUID | None = None
    session_id: UUID | None = None
    by: UUID | None = None
    scopes: frozenset[Permission] | None = None


class Bearer(NamedTuple):
    """Whom a good token or API key was made for. by, scopes: as in `Claim`. tenant_id: the only tenant where it is good;
    None is any.
    """

    user_id: UUID
    session_id: UUID
    by: UUID | None = None
    tenant_id: UUID | None = None
    scopes: frozenset[Permission] | None = None


@dataclass(frozen=True)
class Origin:
    """Where a request came from, fixed at the edge.

    claim: what it says of itself. now: its moment. address, agent: of the client, where there is one. arrival: how it
    stands with its rates, where they are limited. client: what it calls itself, where that is counted.
    """

    claim: Claim
    now: datetime
    request_id: str
    address: str | None = None
    agent: str | None = None
    arrival: Arrival | None = None
    client: str | None = None

    def values(self) -> dict[str, object]:
        """The parameters of `REQUEST`."""
        claim = self.claim
        return {
            "tenant": str(claim.tenant_id),
            "viewer": claim.user_id,
            "session": claim.session_id,
            "by": claim.by,
            "now": self.now,
        }

    @property
    def actor(self) -> "Actor":
        """Who acts, for facts and audit."""
        claim = self.claim
        if claim.user_id is None:
            return Actor("anonymous")
        if claim.scopes is not None:
            return Actor("key", user_id=claim.user_id, reason=f"API key {claim.session_id}")
        reason = None if claim.by is None else f"impersonation {claim.session_id}"
        return Actor("person", user_id=claim.user_id, reason=reason, by=claim.by)


class CustomRole(msgspec.Struct, frozen=True):
    """A role that a tenant made: what `base` gives and `additions`, less `removals`."""

    base: str
    additions: tuple[str, ...]
    removals: tuple[str, ...]


class TenantStatus(StrEnum):
    """Whether a community is open. An archived one is read only; one that is deleted waits for its end."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    SUSPENDED = "SUSPENDED"
    DELETING = "DELETING"


READABLE = frozenset({TenantStatus.ACTIVE, TenantStatus.ARCHIVED})
"""How a tenant is where its people may look around."""


class Caller(msgspec.Struct, frozen=True):
    """What the database says of a claim, in the same statement or transaction as the work itself.

    tenant: how it is with the tenant; None for who may not be in it. session: the session lives. verified: the mail is
    known to be theirs, or the tenant does not ask. role: in this tenant. custom: that role, where the tenant made it.
    factor: they have a second factor, or the tenant does not ask. proved, methods: whether they have shown within the
    last 10 minutes who they are, and by what they can; looked up only for what asks for it.
    """

    tenant: TenantStatus | None
    session: bool
    verified: bool
    role: str | None
    custom: CustomRole | None = None
    factor: bool = True
    proved: bool = False
    methods: tuple[str, ...] = ()


PASSER_BY = Caller(tenant=TenantStatus.ACTIVE, session=False, verified=False, role=None)
"""Whoever comes, of whom nothing is asked."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts, for facts and audit.

    kind: `anonymous`, `person`, `key` or `system`. user_id: of the person, of the key's holder, or of whom the system
    acts for. reason: why the system acts, or somebody as the person; or which key. by: who of the platform's staff acts
    as the person.
    """

    kind: Literal["anonymous", "person", "key", "system"]
    user_id: UUID | None = None
    reason: str | None = None
    by: UUID | None = None


class Allow(StrEnum):
    """Who may use an endpoint at all; permissions and the object itself are asked after this.

    Each asks what the one before asks, too. WHOEVER is for how people come in, such as renewing a session: who a request
    says it is from, and which community it names, is not even looked at, since a client may send its expired token along
    with everything. SIGNED_IN is for what a person needs to get verified, or to leave.
    """

    WHOEVER = "whoever"
    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    VERIFIED = "verified"
    MEMBER = "member"


whoever, anyone = Allow.WHOEVER, Allow.ANYONE
signed_in, verified, member = Allow.SIGNED_IN, Allow.VERIFIED, Allow.MEMBER

Gives = Callable[[Transaction, str], Awaitable[frozenset[Permission] | None]]
"""What a role gives in the transaction's tenant; None when it has no such role."""


async def gives_nothing(_tx: Transaction, _role: str) -> None:
    """Where no role is known."""


class TenantNotFound(NotFound):
    """There is no such community, or it is not open to you."""

    code = "TENANT_NOT_FOUND"


class TenantArchived(Conflict):
    """This community is archived: everything stays to be read, and nothing changes until its owner opens it again."""

    code = "TENANT_ARCHIVED"


class TenantSuspended(Denied):
    """This community is suspended by the platform; its owner was told why, and whom to ask."""

    code = "TENANT_SUSPENDED"
    audited = False


class TenantDeleting(Gone):
    """This community is about to be deleted; until then its owner can restore it."""

    code = "TENANT_DELETING"


_CLOSED: dict[TenantStatus, type[AppError]] = {
    TenantStatus.ARCHIVED: TenantArchived,
    TenantStatus.SUSPENDED: TenantSuspended,
    TenantStatus.DELETING: TenantDeleting,
}


class EmailNotVerified(Denied):
    """Your mail address is not verified yet: follow the link that was mailed to you, or have it sent again."""

    code = "EMAIL_NOT_VERIFIED"


class NotAMember(Denied):
    """Only members of this community may do this."""

    code = "NOT_A_MEMBER"


class FactorRequired(Denied):
    """This community asks its members for a second factor: set up an authenticator app or a passkey first."""

    code, title = "MFA_REQUIRED", "A second factor is needed"


class OnlyInPerson(Denied):
    """Only the person themself may do this, and nobody who acts as them."""

    code = "ONLY_IN_PERSON"


class StepUpRequired(Denied):
    """Show once more who you are, by `stepUp`, and try again within 10 minutes."""

    code, title = "STEP_UP_REQUIRED", "Show once more who you are"


class NotByKey(Denied):
    """No API key may do this; sign in for it."""

    code = "NOT_BY_KEY"


class ScopeMissing(Denied):
    """This API key was not made for this; make one with the scope that it names."""

    code = "SCOPE_MISSING"


class KeyNotFromHere(Denied):
    """This API key may not be used from this address; its holder set from where it may."""

    code = "KEY_NOT_FROM_HERE"


@dataclass(frozen=True)
class ClaimSql:
    """A claim and the present time as SQL expressions: parameters of one request, or columns over many viewers."""

    tenant_id: ColumnElement[UUID]
    user_id: ColumnElement[UUID]
    session_id: ColumnElement[UUID]
    by: ColumnElement[UUID]
    now: ColumnElement[datetime]


TENANT: ColumnElement[UUID] = cast(bindparam("tenant", type_=Text()), Uuid())
"""The parameter `tenant`, bound as text since the isolation setting is text too."""
SET_TENANT = func.set_config(TENANT_SETTING, bindparam("tenant", type_=Text()), True)
"""Names the tenant whose rows the rest of the statement sees. Must stand before them in the select list."""
REQUEST = ClaimSql(
    tenant_id=TENANT,
    user_id=bindparam("viewer", type_=Uuid()),
    session_id=bindparam("session", type_=Uuid()),
    by=bindparam("by", type_=Uuid()),
    now=bindparam("now", type_=DateTime(timezone=True)),
)
"""The claim of one request: parameters `tenant`, `viewer`, `session`, `by` and `now`."""


@dataclass(frozen=True)
class Gate:
    """How claims are checked; the access slice supplies it, main wires it.

    lookup: the SQL text of one JSON object that `Caller` is read from, NULL when the tenant does not exist.
    permissions: what a caller may do, by their role. gives: what any role gives, and that it stays until the
    transaction ends. lookup_with_proof: the same as `lookup` with `proved` and `methods`, which only commands with
    `step_up` ask for; where there is none, nobody has proved anything.
    """

    lookup: Callable[[ClaimSql], ColumnElement[str]]
    permissions: Callable[[Caller], frozenset[Permission]]
    gives: Gives = gives_nothing
    lookup_with_proof: Callable[[ClaimSql], ColumnElement[str]] | None = None

    @cached_property
    def question(self) -> SqlText:
        """The statement that looks up the caller of one request, in its second column."""
        return to_text(select(SET_TENANT.is_(None), self.lookup(REQUEST)))

    @cached_property
    def question_with_proof(self) -> SqlText:
        """The same where somebody has to have shown lately who they are."""
        return to_text(select(SET_TENANT.is_(None), (self.lookup_with_proof or self.lookup)(REQUEST)))

    def admit(
        self,
        claim: Claim,
        caller: Caller | None,
        allow: Allow,
        permission: Permission | None,
        *,
        within: frozenset[TenantStatus] = READABLE,
        in_person: bool = False,
        step_up: bool = False,
        acts: bool = False,
    ) -> Caller:
        """The caller, let in; or a refusal: tenant first, then session, verification, membership, factor, permission, proof.

        within: how the tenant may be for it. in_person: it is not for who acts as somebody else, nor for a key. acts: it
        changes something.
        Raises TenantNotFound, TenantArchived, TenantSuspended, TenantDeleting, Unauthenticated, EmailNotVerified,
        NotAMember, FactorRequired, OnlyInPerson, NotByKey, ScopeMissing, Denied, StepUpRequired.
        """
        if caller is None or caller.tenant is None:
            raise TenantNotFound
        if caller.tenant not in within:
            raise _CLOSED[caller.tenant]
        if claim.user_id is not None and not caller.session:
            raise Unauthenticated(_OVER[claim.scopes is not None])
        if claim.user_id is None and allow not in (anyone, whoever):
            raise Unauthenticated
        if allow in (verified, member) and not caller.verified:
            raise EmailNotVerified
        if allow is member and caller.role is None:
            raise NotAMember
        if not caller.factor and caller.role is not None and allow not in (whoever, signed_in):
            raise FactorRequired
        if in_person and claim.by is not None:
            raise OnlyInPerson
        if claim.scopes is not None:
            by_session = in_person or step_up or allow in (signed_in, verified)
            _check_scopes(claim.scopes, permission or (ACT if acts else None), by_session=by_session)
        if permission is not None and permission not in self.permissions(caller):
            raise Denied(
                f"This needs the permission {permission}, which your role does not give.",
                details={"permission": permission},
            )
        if step_up and not caller.proved:
            raise StepUpRequired(details={"methods": caller.methods})
        return caller

    def held(self, claim: Claim, caller: Caller) -> frozenset[Permission]:
        """What a caller may do: by their role, and with a key no more than its scopes."""
        by_role = self.permissions(caller)
        return by_role if claim.scopes is None else by_role & claim.scopes


def _check_scopes(scopes: frozenset[Permission], needed: Permission | None, *, by_session: bool) -> None:
    """Keep a key within its scopes and its community: accounts and what belongs to no community are for sessions.

    by_session: it is. Raises NotByKey, ScopeMissing.
    """
    if by_session:
        raise NotByKey
    if needed is not None and needed not in scopes:
        raise ScopeMissing(
            f"This API key was not made for this: it lacks the scope {needed}.", details={"scope": needed}
        )


def gate_refusals(
    allow: Allow,
    permission: Permission | None,
    *,
    in_person: bool = False,
    step_up: bool = False,
    acts: bool = False,
) -> list[type[AppError]]:
    """What `Gate.admit` may refuse with, besides TenantNotFound and Unauthenticated, which every request may meet."""
    found: list[type[AppError]] = [EmailNotVerified] if allow in (verified, member) else []
    found += [NotAMember] if allow is member else []
    by_session = in_person or step_up or allow in (signed_in, verified)
    by_key: list[type[AppError]] = [NotByKey] if by_session else [ScopeMissing] if permission or acts else []
    found += [] if allow is whoever else by_key
    found += [] if allow in (whoever, signed_in) else [FactorRequired]
    found += [OnlyInPerson] if in_person and allow not in (anyone, whoever) else []
    found += [] if permission is None else [Denied]
    return [*found, StepUpRequired] if step_up else found


_decode_caller = msgspec.json.Decoder(Caller).decode


def read_caller(text: str | None) -> Caller | None:
    """The caller as the database wrote it; None when the tenant does not exist."""
    return None if text is None else _decode_caller(text)
