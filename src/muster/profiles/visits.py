"""Counting who looks at a public page: each visitor once a day, and nothing of them is kept.

A visit is a digest under a key that only this deployment has, over the day, the page and where the visitor came from, so
it neither tells who that was nor ties two days or two pages together. Digests go when their day is over.
"""

import hmac
import re
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import Session
from muster.kit.caller import Origin
from muster.kit.commands.context import Ctx, Services
from muster.kit.db.statements import Nothing, Row, Statement
from muster.profiles.tables import Profile, ProfileViews, ProfileVisit

# Programs that name themselves; what pretends to be a browser is counted as one.
_PROGRAM = re.compile(
    r"bot|crawl|spider|slurp|preview|monitor|scan|fetch|archiv|headless|lighthouse|facebookexternal|whatsapp|telegram"
    r"|curl|wget|python|http|java|ruby|perl|php|go-|axios|okhttp|node",
    re.IGNORECASE,
)


class Counts(Row):
    """The profile whose views are counted."""

    id: UUID


_PERSON = bindparam("person", type_=Profile.id.type)
_from_there = select(Session.id).where(
    Session.user_id == Profile.id, Session.address == bindparam("address"), Session.revoked_at.is_(None)
)
# Whoever comes from where the person is signed in counts as themselves.
_COUNTED = Statement(
    Counts, select(Profile.id).where(Profile.id == _PERSON, Profile.counts_views, ~_from_there.exists())
)
# Of two requests of one visitor at once, one makes the row, and the other finds it there.
_VISIT = Statement(
    Nothing, insert(ProfileVisit).on_conflict_do_nothing(index_elements=["id"]), insert_keys=("id", "at")
)
_fresh = insert(ProfileViews)
_COUNT = Statement(
    Nothing,
    _fresh.on_conflict_do_update(index_elements=["id"], set_={"count": ProfileViews.count + 1}),
    insert_keys=("id", "count"),
)
_FORGET = Statement(
    Nothing, delete(ProfileVisit).where(ProfileVisit.at < bindparam("moment", type_=ProfileVisit.at.type))
)


def is_program(agent: str | None, purpose: str | None) -> bool:
    """Whether no person looks: it says that it is a program, or that it only loads ahead. agent, purpose: as it says."""
    return not agent or _PROGRAM.search(agent) is not None or "prefetch" in (purpose or "").lower()


def visit_id(secret: str, person_id: UUID, origin: Origin) -> UUID:
    """The digest that one visitor has for one page on one day, in UTC."""
    parts = (f"{origin.now:%Y-%m-%d}", person_id.hex, origin.address or "", origin.agent or "")
    digest = hmac.digest(b"profile visits " + secret.encode(), "\n".join(parts).encode(), sha256)
    return UUID(bytes=digest[:16], version=4)


async def count_visit(services: Services, person_id: UUID, origin: Origin) -> None:
    """Count a visit of a person's page, unless the person does not want that, comes themselves, or it was counted today."""
    async with services.database.transaction(origin.claim.tenant_id) as tx:
        if await tx.one(_COUNTED, person=person_id, address=origin.address) is None:
            return
        secret = services.settings.security.jwt_secret
        if await tx.run(_VISIT, id=visit_id(secret, person_id, origin), at=origin.now):
            await tx.run(_COUNT, id=person_id, count=1)


async def forget_visits(ctx: Ctx, before: datetime) -> None:
    """Remove the digests of days that are over."""
    await ctx.db.run(_FORGET, moment=before)
