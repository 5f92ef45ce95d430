"""Domains of a community's own: named, proven by a record that only who holds the domain can set, and looked at again."""

import secrets
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Meta, Struct

from muster.adapters.dns import NotAnswered, texts_of
from muster.kit.caller import Claim, Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Conflict, Invalid, NotFound, Unavailable
from muster.kit.limits import Rule, limit
from muster.settings import Settings
from muster.tenancy import queries, rules
from muster.tenancy.facts import DomainFailing, DomainLost, DomainProven
from muster.tenancy.queries import KnownDomain
from muster.tenancy.views import DomainView

TENANT_DOMAIN = Permission("tenant:domain")
DOMAIN = limit("domain", Rule(20, 3600), meaning="domains that are named and looked at")


class DomainNotFound(NotFound):
    """This community names no such domain."""

    code = "DOMAIN_NOT_FOUND"


class DomainNamed(Conflict):
    """This community names the domain already; prove it, or remove it."""

    code = "DOMAIN_NAMED"


class TooManyDomains(Conflict):
    """A community names at most five domains; remove one."""

    code = "TOO_MANY_DOMAINS"


class DomainNotProven(Conflict):
    """The domain's TXT record does not hold what it should; set it, wait until it is known, and try again."""

    code = "DOMAIN_NOT_PROVEN"
    commits = True


class DomainTaken(Conflict):
    """The domain leads to another community, whose record is still there; have that removed first."""

    code = "DOMAIN_TAKEN"


class DnsUnavailable(Unavailable):
    """The domain's name servers do not answer right now; try again in a moment."""


class Looked(Struct, frozen=True):
    """What DNS says. domain: as it was then. texts: of its record; None where nobody answered."""

    domain: KnownDomain | None
    texts: frozenset[str] | None


DomainName = Annotated[
    str, Meta(min_length=3, max_length=253, examples=["chess.example"], description="In any script; kept in ASCII.")
]


@command("POST /tenant/domains", "addDomain", allow=member, permission=TENANT_DOMAIN, limit=DOMAIN, answers=(201,))
async def add(ctx: Ctx, *, name: DomainName) -> DomainView:
    """Name a domain of the community's own. Then set the TXT record that the answer tells, and prove it.

    Raises Invalid, DomainNamed, TooManyDomains.
    """
    domain = rules.domain_of(name)
    if domain is None or rules.is_within(domain, _ours(ctx.settings)):
        raise Invalid.field("name", "must be a domain of your own, such as chess.example")
    # Of two who name domains at once, the second counts after the first.
    await queries.lock_tenant(ctx, ctx.tenant_id)
    if await queries.count_domains(ctx) >= rules.MOST_DOMAINS:
        raise TooManyDomains
    domain_id = await queries.put_domain(ctx, name=domain, token=secrets.token_urlsafe(24))
    if domain_id is None:
        raise DomainNamed
    return DomainView.ref(domain_id, created=True)


async def _look(services: Services, claim: Claim, *, id: UUID) -> Looked:
    """Ask DNS with no transaction open. A stranger has no id to ask by, and is let in no further whatever it says."""
    async with services.database.transaction(claim.tenant_id) as tx:
        domain = await queries.find_domain(tx, id)
    if domain is None or claim.user_id is None:
        return Looked(None, None)
    return await look(services.settings, domain)


@command(
    "POST /tenant/domains/{id}/proof",
    "proveDomain",
    allow=member,
    permission=TENANT_DOMAIN,
    limit=DOMAIN,
    prepare=_look,
)
async def prove(ctx: Ctx, *, id: UUID, prepared: Looked) -> DomainView:
    """Look whether the domain's TXT record is there; from then on the domain leads to the community.

    It is looked at again every day. A domain that led to another community leads here once that one's record is gone.
    Raises DomainNotFound, DomainNotProven, DomainTaken, DnsUnavailable.
    """
    domain = await queries.find_domain(ctx.db, id)
    if domain is None or prepared.domain is None:
        raise DomainNotFound
    if prepared.texts is None:
        raise DnsUnavailable
    if not await settle(ctx, domain, prepared.texts):
        raise DomainNotProven
    return DomainView.ref(id)


@command("DELETE /tenant/domains/{name}", "removeDomain", allow=member, permission=TENANT_DOMAIN, limit=DOMAIN)
async def remove(ctx: Ctx, *, name: DomainName) -> None:
    """Remove a domain; it leads here no longer. One that the community does not name is none to remove."""
    domain = rules.domain_of(name)
    if domain is not None:
        await queries.remove_domain(ctx, domain)


async def look(settings: Settings, domain: KnownDomain) -> Looked:
    """What DNS says of a domain."""
    try:
        return Looked(domain, await texts_of(settings, f"{rules.CHALLENGE}{domain.name}"))
    except NotAnswered:
        return Looked(domain, None)


async def settle(ctx: Ctx, domain: KnownDomain, texts: frozenset[str]) -> bool:
    """Let a domain lead to the transaction's tenant or not, by what its record holds; whether it is proven by it.

    One that was proven keeps leading here for seven days without its record. Raises DomainTaken.
    """
    if domain.token in texts:
        await _lead_here(ctx, domain, texts)
        await queries.put_checked(ctx, domain.id, proven_at=domain.proven_at or ctx.now, failing_since=None)
        return True
    failing, holder = domain.failing_since or ctx.now, await queries.find_host(ctx, domain.name)
    if domain.proven_at is None:
        await queries.put_checked(ctx, domain.id, proven_at=None, failing_since=None)
    elif holder is None or holder.id != domain.id or ctx.now - failing >= rules.PATIENCE:
        await lose(ctx, domain)
    else:
        await queries.put_checked(ctx, domain.id, proven_at=domain.proven_at, failing_since=failing)
        if domain.failing_since is None:
            lost_at = ctx.now + rules.PATIENCE
            ctx.record(DomainFailing(tenant_id=ctx.tenant_id, domain_id=domain.id, name=domain.name, lost_at=lost_at))
    return False


async def lose(ctx: Ctx, domain: KnownDomain) -> None:
    """Let a domain not lead to the transaction's tenant any more."""
    await queries.forget_host(ctx, domain.id)
    await queries.put_checked(ctx, domain.id, proven_at=None, failing_since=None)
    by_id = ctx.actor.user_id
    ctx.record(DomainLost(tenant_id=ctx.tenant_id, by_id=by_id, domain_id=domain.id, name=domain.name))


async def _lead_here(ctx: Ctx, domain: KnownDomain, texts: frozenset[str]) -> None:
    """The unique key of hosts lets one community have a name; two that prove it at once: one meets it, and tries again."""
    holder = await queries.find_host(ctx, domain.name)
    if holder is not None and holder.id == domain.id:
        return
    if holder is not None:
        # One name holds the records of both, so that one look says whose is there.
        if holder.token in texts:
            raise DomainTaken
        await queries.forget_host(ctx, holder.id)
    await queries.put_host(ctx, domain)
    by_id = ctx.actor.user_id
    ctx.record(DomainProven(tenant_id=ctx.tenant_id, by_id=by_id, domain_id=domain.id, name=domain.name))


def _ours(settings: Settings) -> list[str]:
    """The domains at which this deployment itself is found."""
    addresses = (urlsplit(each).hostname for each in (settings.addresses.app, settings.addresses.api))
    return [each for each in (*addresses, settings.communities.domain, "localhost") if each]
