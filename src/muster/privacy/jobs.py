"""What is due for those who leave, and what then happens: reminding, ending, erasing."""

from uuid import UUID

from muster.events.jobs import withdraw_from
from muster.identity.queries import life_of
from muster.identity.queries import mailbox as mailbox_of
from muster.kit.commands.context import Ctx
from muster.kit.personal.erasing import erase_person
from muster.kit.storage.storage import folder_of, storage_of
from muster.kit.work.errands import Errand
from muster.privacy import queries
from muster.privacy.facts import AccountEnded, AccountEndsSoon, AccountErased, ErasureDue
from muster.tenancy.teams import seating as teams


async def see_who_leaves(ctx: Ctx) -> None:
    """Remind who can still come back, end the accounts of who did not, and have those erased that have ended."""
    for user_id in await queries.take_to_remind(ctx):
        ctx.record(AccountEndsSoon(user_id=user_id))
    for user_id in await queries.take_to_end(ctx):
        ctx.record(AccountEnded(user_id=user_id))
    for user_id in await queries.take_to_erase(ctx):
        ctx.record(ErasureDue(user_id=user_id))


async def withdraw_everywhere(errand: Errand, fact: AccountEnded) -> None:
    """Give back all that a person who is gone holds, community by community, so that others get it and are told."""
    async with errand.transaction() as ctx:
        tenants = [each.id for each in await queries.policies(ctx)]

    async def is_gone(ctx: Ctx) -> bool:
        return await _has_ended(ctx, fact.user_id)

    for done, tenant_id in enumerate(tenants):
        async with errand.transaction(tenant_id) as ctx:
            if await is_gone(ctx):
                await teams.withdraw(ctx, fact.user_id)
        await withdraw_from(errand, tenant_id, fact.user_id, is_gone)
        await errand.progress(done / len(tenants))


async def erase(errand: Errand, fact: ErasureDue) -> None:
    """Erase a person everywhere. Killed, it goes on where it stopped; run again, it changes nothing."""
    async with errand.transaction() as ctx:
        tenants = await queries.policies(ctx)
        if not await _has_ended(ctx, fact.user_id):
            return
        mailbox = await mailbox_of(ctx.db, fact.user_id)
    places = [(each.id, each.keeps_content) for each in tenants]
    await erase_person(
        errand.services.database, fact.user_id, ctx.now, places, mail=None if mailbox is None else mailbox.email
    )
    storage = storage_of(errand.services.settings)
    for folder in (
        folder_of(user_id=fact.user_id),
        *(folder_of(user_id=fact.user_id, tenant_id=each.id) for each in tenants),
    ):
        await storage.delete(*await storage.paths(folder))
    async with errand.transaction() as ctx:
        if await queries.put_erased(ctx, fact.user_id):
            ctx.record(AccountErased(user_id=fact.user_id))


async def _has_ended(ctx: Ctx, user_id: UUID) -> bool:
    life = await life_of(ctx.db, user_id)
    return life is not None and life.ended_at is not None
