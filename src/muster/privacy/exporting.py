"""Making exports, and removing them when they are old: work on files, between transactions."""

import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from muster.kit.commands.context import Ctx
from muster.kit.personal.exporting import Archive
from muster.kit.storage.storage import folder_of, storage_of
from muster.kit.work.errands import Errand
from muster.privacy import queries, rules
from muster.privacy.facts import ExportAsked, ExportExpired, ExportReady


async def make_export(errand: Errand, fact: ExportAsked) -> None:
    """Write the archive and keep it. Run again, it replaces the file; one that another took the place of is not made."""
    async with errand.transaction() as ctx:
        asked = await queries.read_export(ctx, fact.export_id)
        communities = [(each.id, each.slug) for each in await queries.policies(ctx)]
    if asked is None or asked.expires_at is not None:
        return
    storage = storage_of(errand.services.settings)
    told = partial(_tell, errand, fact.export_id)
    archive = Archive(errand.services.database, fact.user_id, communities, told)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / rules.EXPORT_NAME
        await archive.write(file, at=_day(ctx.now))
        await storage.put(asked.path, file, name=rules.EXPORT_NAME)
    async with errand.transaction() as ctx:
        if await queries.put_ready(ctx, fact.export_id):
            ctx.record(ExportReady(user_id=fact.user_id, export_id=fact.export_id))
    await _remove_others(errand, fact.user_id, asked.path)


async def forget_exports(ctx: Ctx) -> None:
    """Have the exports removed that were kept long enough; belongs in the schedule."""
    for each in await queries.take_expired(ctx):
        ctx.record(ExportExpired(user_id=each.user_id, export_id=each.id))


async def remove_expired(errand: Errand, fact: ExportExpired) -> None:
    """Remove the files of who has no export any more; of one asked for meanwhile, the file stays."""
    async with errand.transaction() as ctx:
        now = await queries.own_export(ctx, fact.user_id)
    await _remove_others(errand, fact.user_id, None if now is None or now.id == fact.export_id else now.path)


async def _remove_others(errand: Errand, user_id: UUID, kept: str | None) -> None:
    storage = storage_of(errand.services.settings)
    found = await storage.paths(f"{folder_of(user_id=user_id)}{rules.EXPORT_FOLDER}/")
    await storage.delete(*(path for path in found if path != kept))


async def _tell(errand: Errand, export_id: UUID, done: float) -> None:
    await errand.progress(done)
    async with errand.transaction() as ctx:
        await queries.put_progress(ctx, export_id, int(done * 100))


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
