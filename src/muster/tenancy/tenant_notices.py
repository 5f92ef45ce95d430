"""What people are told of their community, in the product and by mail: who runs it of its life, members of their role
and of its end.

Whoever did it is not told; who runs it are its owner and its admins.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import ClassVar
from uuid import UUID

from muster.identity.mail import post_mail
from muster.kit.caller import TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.words import Value
from muster.kit.work.errands import Errand
from muster.notifications.commands import tell
from muster.notifications.crowds import BATCH, Person, tell_crowd
from muster.tenancy import queries
from muster.tenancy.facts import (
    DomainFact,
    DomainFailing,
    DomainLost,
    DomainProven,
    MemberRoleChanged,
    OwnershipDeclined,
    OwnershipOffered,
    OwnershipTransferred,
    TenantClosed,
    TenantDeletionBegun,
    TenantDue,
    TenantFact,
    TenantOpened,
    TenantRestored,
)
from muster.tenancy.notices import CommunityMail


class _LifeMail(Mail):
    """Base of mails that tell how a community stands. status: what it then is."""

    kind: ClassVar[str] = "tenancy.life"
    status: ClassVar[TenantStatus]

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it stands otherwise by now."""
        look = await queries.find_look(ctx.db, ctx.tenant_id)
        if look is None or look.status != self.status:
            return None
        deletes_at = None if look.deletes_at is None else look.deletes_at.astimezone(UTC)
        values: dict[str, Value] = {"community": look.name, "reason": look.status_reason, "deletes_at": deletes_at}
        return Letter(values=values, link=ctx.settings.addresses.app)


class ArchivedMail(_LifeMail):
    """It can be read, and nobody changes anything."""

    kind: ClassVar[str] = "tenancy.tenant_archived"
    status: ClassVar[TenantStatus] = TenantStatus.ARCHIVED


class ClosedMail(_LifeMail):
    """The platform has closed it."""

    kind: ClassVar[str] = "tenancy.tenant_suspended"
    status: ClassVar[TenantStatus] = TenantStatus.SUSPENDED


class OpenedMail(_LifeMail):
    """It is open again."""

    kind: ClassVar[str] = "tenancy.tenant_opened"
    status: ClassVar[TenantStatus] = TenantStatus.ACTIVE


class DeletionBegunMail(_LifeMail):
    """It is closed, and is to be erased."""

    kind: ClassVar[str] = "tenancy.deletion_begun"
    status: ClassVar[TenantStatus] = TenantStatus.DELETING


class TenantRestoredMail(_LifeMail):
    """It is not to be erased after all."""

    kind: ClassVar[str] = "tenancy.tenant_restored"
    status: ClassVar[TenantStatus] = TenantStatus.ACTIVE


class TenantErasedMail(Mail):
    """To who owned it: it is being erased. It names nothing, since of a community that is gone nothing stays."""

    kind: ClassVar[str] = "tenancy.tenant_erased"

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The same whoever owned it."""
        return Letter(link=ctx.settings.addresses.app)


class _AboutMail(CommunityMail):
    """Base of mails that need the community's name, and little else."""

    kind: ClassVar[str] = "tenancy.about"

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when there is nothing left to tell."""
        more = await self.values(ctx, user_id)
        return None if more is None else await self.told(ctx, more)

    async def values(self, ctx: Ctx, user_id: UUID) -> Mapping[str, Value] | None:
        """What else the words speak of; None when there is nothing left to tell."""
        return {}


class TenantOfferedMail(_AboutMail):
    """To whom the community is offered."""

    kind: ClassVar[str] = "tenancy.ownership_offered"

    async def values(self, ctx: Ctx, user_id: UUID) -> Mapping[str, Value] | None:
        """None when the offer is no more."""
        offer = await queries.find_offer(ctx)
        is_open = offer is not None and offer.user_id == user_id and offer.expires_at > ctx.now
        return {"until": offer.expires_at.astimezone(UTC)} if offer is not None and is_open else None


class TenantPassedMail(_AboutMail):
    """To who owned the community: somebody else does now."""

    kind: ClassVar[str] = "tenancy.ownership_passed"


class RoleChangedMail(_AboutMail):
    """To a member whose role others changed."""

    kind: ClassVar[str] = "tenancy.role_changed"

    async def values(self, ctx: Ctx, user_id: UUID) -> Mapping[str, Value] | None:
        """None when they are no member any more."""
        role = await queries.find_role(ctx, user_id)
        return None if role is None else {"role": role}


class _DomainMail(_AboutMail):
    """Base of mails about a domain."""

    kind: ClassVar[str] = "tenancy.domain"
    name: str

    async def values(self, ctx: Ctx, user_id: UUID) -> Mapping[str, Value] | None:
        """The domain's name, which may be gone by now."""
        return {"domain": self.name}


class DomainProvenMail(_DomainMail):
    """It leads to the community."""

    kind: ClassVar[str] = "tenancy.domain_proven"


class DomainFailingMail(_DomainMail):
    """Its record is not there any more."""

    kind: ClassVar[str] = "tenancy.domain_failing"


class DomainLostMail(_DomainMail):
    """It leads to the community no more."""

    kind: ClassVar[str] = "tenancy.domain_lost"


async def tell_closed(ctx: Ctx, fact: TenantClosed) -> None:
    """Tell that the community was archived, or suspended by the platform."""
    is_archived = fact.status == TenantStatus.ARCHIVED
    kind = "TENANT_ARCHIVED" if is_archived else "TENANT_SUSPENDED"
    await _tell_runners(ctx, fact, kind, ArchivedMail() if is_archived else ClosedMail())


async def tell_opened(ctx: Ctx, fact: TenantOpened) -> None:
    """Tell that the community is open again."""
    await _tell_runners(ctx, fact, "TENANT_OPENED", OpenedMail())


async def tell_deletion_begun(errand: Errand, fact: TenantDeletionBegun) -> None:
    """Tell every member that the community is closed, and is to be erased: what they have there goes with it."""
    await _tell_members(errand, fact, "TENANT_DELETION_BEGUN", DeletionBegunMail())


async def tell_restored(errand: Errand, fact: TenantRestored) -> None:
    """Tell every member that the community stays."""
    await _tell_members(errand, fact, "TENANT_RESTORED", TenantRestoredMail())


async def mail_erased(errand: Errand, fact: TenantDue) -> None:
    """Tell who owns a community that its time has come. The letter is the platform's, since all of the community's goes."""
    async with errand.transaction(fact.tenant_id) as ctx:
        owner_id = await queries.find_owner(ctx)
    if owner_id is not None:
        async with errand.transaction() as ctx:
            await post_mail(ctx, TenantErasedMail(), user_id=owner_id)


async def tell_offered(ctx: Ctx, fact: OwnershipOffered) -> None:
    """Tell somebody that they may own the community."""
    data = {"tenantId": fact.tenant_id}
    await tell(ctx, user_id=fact.user_id, kind="OWNERSHIP_OFFERED", data=data, mail=TenantOfferedMail())


async def tell_declined(ctx: Ctx, fact: OwnershipDeclined) -> None:
    """Tell the owner that who was to be the next one does not want to."""
    owner_id = await queries.find_owner(ctx)
    if owner_id is not None:
        data = {"tenantId": fact.tenant_id, "userId": fact.user_id}
        await tell(ctx, user_id=owner_id, kind="OWNERSHIP_DECLINED", data=data)


async def tell_passed(ctx: Ctx, fact: OwnershipTransferred) -> None:
    """Tell who owned the community that it has another owner, who knows."""
    data = {"tenantId": fact.tenant_id, "userId": fact.user_id}
    await tell(ctx, user_id=fact.old_owner_id, kind="OWNERSHIP_PASSED", data=data, mail=TenantPassedMail())


async def tell_domain_proven(ctx: Ctx, fact: DomainProven) -> None:
    """Tell that a domain leads to the community."""
    await _tell_runners(ctx, fact, "DOMAIN_PROVEN", DomainProvenMail(name=fact.name))


async def tell_domain_failing(ctx: Ctx, fact: DomainFailing) -> None:
    """Tell that a domain will be lost unless its record comes back."""
    await _tell_runners(ctx, fact, "DOMAIN_FAILING", DomainFailingMail(name=fact.name))


async def tell_domain_lost(ctx: Ctx, fact: DomainLost) -> None:
    """Tell that a domain leads to the community no more."""
    await _tell_runners(ctx, fact, "DOMAIN_LOST", DomainLostMail(name=fact.name))


async def tell_role_changed(ctx: Ctx, fact: MemberRoleChanged) -> None:
    """Tell a member that they have another role."""
    if fact.user_id != fact.by_id:
        data = {"role": fact.role, "was": fact.was}
        await tell(ctx, user_id=fact.user_id, kind="ROLE_CHANGED", data=data, mail=RoleChangedMail())


async def _tell_members(errand: Errand, fact: TenantFact, kind: str, mail: Mail) -> None:
    """Tell everybody in the community, but not who did it."""

    async def following(ctx: Ctx, last: UUID) -> list[Person]:
        return [Person(each) for each in await queries.members_after(ctx, last, BATCH)]

    await tell_crowd(errand, following, kind=kind, data={"tenantId": fact.tenant_id}, mail=mail, but=fact.by_id)


async def _tell_runners(ctx: Ctx, fact: TenantFact, kind: str, mail: Mail) -> None:
    """Tell who runs the community, in it, but not who did it."""
    data: dict[str, object] = {"tenantId": fact.tenant_id}
    if isinstance(fact, DomainFact):
        data["name"] = fact.name
    for user_id in await queries.runners_of(ctx):
        if user_id != fact.by_id:
            await tell(ctx, user_id=user_id, kind=kind, data=data, mail=mail)
