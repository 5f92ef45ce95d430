"""SQL of links. Their uses are counted under the lock of their event, as everything is that lets people into it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from muster.events.invites.tables import EventInviteLink, EventInviteLinkUse
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, insertion
from muster.kit.db.tables import once_more
from muster.kit.ids import new_id


class Link(Row):
    """A link as it stands. was_used: whether the person who asks has come by it before."""

    id: UUID
    event_id: UUID
    label: str | None
    uses: int
    max_uses: int | None
    expires_at: datetime | None
    revoked_at: datetime | None
    was_used: bool

    def is_good(self, now: datetime) -> bool:
        """Whether somebody may come by it now. Who came by it before is counted, and uses up nothing."""
        if self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now):
            return False
        return self.max_uses is None or self.uses < self.max_uses or self.was_used


_used = once_more(EventInviteLinkUse)
_LINK = select(
    EventInviteLink.id,
    EventInviteLink.event_id,
    EventInviteLink.label,
    EventInviteLink.uses,
    EventInviteLink.max_uses,
    EventInviteLink.expires_at,
    EventInviteLink.revoked_at,
    select(_used.id)
    .where(_used.link_id == EventInviteLink.id, _used.user_id == bindparam("person", type_=_used.user_id.type))
    .exists()
    .label("was_used"),
)
_BY_CODE = Statement(Link, _LINK.where(EventInviteLink.code == bindparam("said", type_=EventInviteLink.code.type)))
_BY_ID = Statement(
    Link, _LINK.where(EventInviteLink.id == bindparam("link"), EventInviteLink.event_id == bindparam("event"))
)
_THIS = EventInviteLink.id == bindparam("link")
_PUT = insertion(
    Nothing,
    EventInviteLink,
    *("tenant_id", "id", "event_id", "code", "label", "uses", "max_uses", "made_by_id", "created_at", "expires_at"),
)
_EDIT = Statement(
    Nothing,
    update(EventInviteLink)
    .where(_THIS)
    .values(
        label=bindparam("new_label", type_=EventInviteLink.label.type),
        max_uses=bindparam("new_max_uses", type_=EventInviteLink.max_uses.type),
        expires_at=bindparam("new_expires_at", type_=EventInviteLink.expires_at.type),
    ),
)
_REVOKE = Statement(
    Nothing,
    update(EventInviteLink)
    .where(_THIS)
    .values(
        revoked_at=bindparam("moment", type_=EventInviteLink.revoked_at.type),
        revoked_by_id=bindparam("person", type_=EventInviteLink.revoked_by_id.type),
    ),
)
_COUNT_USE = Statement(Nothing, update(EventInviteLink).where(_THIS).values(uses=EventInviteLink.uses + 1))
_PUT_USE = insertion(Nothing, EventInviteLinkUse, "tenant_id", "id", "link_id", "user_id", "used_at")


async def link_by_code(ctx: Ctx, code: str, person: UUID | None) -> Link | None:
    """The link with a code. person: who asks, where it is somebody."""
    return await ctx.db.one(_BY_CODE, said=code, person=person)


async def link_of(ctx: Ctx, event_id: UUID, link_id: UUID) -> Link | None:
    """A link of an event."""
    return await ctx.db.one(_BY_ID, link=link_id, event=event_id, person=None)


async def put_link(ctx: Ctx, event_id: UUID, code: str, **values: object) -> UUID:
    """Make a link; answers with its id. values: its label, `max_uses` and `expires_at`."""
    link_id = new_id()
    await ctx.db.run(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=link_id,
        event_id=event_id,
        code=code,
        uses=0,
        made_by_id=ctx.user_id,
        created_at=ctx.now,
        **values,
    )
    return link_id


async def edit_link(ctx: Ctx, link: Link) -> None:
    """Store what a link is called, and how long and for how many it is good."""
    await ctx.db.run(
        _EDIT, link=link.id, new_label=link.label, new_max_uses=link.max_uses, new_expires_at=link.expires_at
    )


async def revoke_link(ctx: Ctx, link_id: UUID) -> None:
    """End a link."""
    await ctx.db.run(_REVOKE, link=link_id, moment=ctx.now, person=ctx.user_id)


async def put_use(ctx: Ctx, link_id: UUID, user_id: UUID) -> None:
    """Count that somebody came by a link, and log it."""
    await ctx.db.run(_COUNT_USE, link=link_id)
    await ctx.db.run(_PUT_USE, tenant_id=ctx.tenant_id, id=new_id(), link_id=link_id, user_id=user_id, used_at=ctx.now)
