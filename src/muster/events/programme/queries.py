"""SQL that an event's programme needs. A list goes and comes back as a whole, under the event's lock."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from muster.events.programme.tables import AgendaHost, AgendaItem, Faq, Resource
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Statement, given
from muster.kit.db.tables import TenantTable
from muster.kit.ids import new_id


class Rows:
    """Rows of a table that belong to one row of another, in an order of their own.

    owner: the column that says whose they are. columns: what each holds beside its id, its owner and its position.
    """

    def __init__(self, table: type[TenantTable], owner: str, *columns: str) -> None:
        self._columns = columns
        self._names = ("tenant_id", "id", owner, "position", *columns)
        source = given(**{name: getattr(table, name).type for name in self._names})
        self._put = Statement(Nothing, insert(table).from_select(self._names, select(source)))
        self._forget = Statement(Nothing, delete(table).where(getattr(table, owner) == bindparam("owner")))

    async def forget(self, ctx: Ctx, owner_id: UUID) -> None:
        """Let all that belong to one go."""
        await ctx.db.run(self._forget, owner=owner_id)

    async def put(self, ctx: Ctx, rows: Sequence[tuple[UUID, int, Struct]]) -> list[UUID]:
        """Keep rows, each with whose it is, its position and what it holds; answers with their ids."""
        ids = [new_id() for _ in rows]
        if rows:
            values = [
                (ctx.tenant_id, row_id, owner, position, *(getattr(held, name) for name in self._columns))
                for row_id, (owner, position, held) in zip(ids, rows, strict=True)
            ]
            await ctx.db.run(self._put, **dict(zip(self._names, map(list, zip(*values, strict=True)), strict=True)))
        return ids


_AGENDA = Rows(AgendaItem, "event_id", "title", "description", "starts_at", "ends_at")
_HOSTS = Rows(AgendaHost, "item_id", "user_id", "name")
_FAQS = Rows(Faq, "event_id", "question", "answer")
_RESOURCES = Rows(Resource, "event_id", "title", "url", "audience")


async def put_agenda(ctx: Ctx, event_id: UUID, items: Sequence[Struct], hosts: Sequence[Sequence[Struct]]) -> None:
    """Replace the agenda. hosts: of each of its points; they go and come with it."""
    await _AGENDA.forget(ctx, event_id)
    ids = await _AGENDA.put(ctx, [(event_id, position, each) for position, each in enumerate(items)])
    of_items = zip(ids, hosts, strict=True)
    await _HOSTS.put(ctx, [(item_id, at, host) for item_id, those in of_items for at, host in enumerate(those)])


async def put_faqs(ctx: Ctx, event_id: UUID, faqs: Sequence[Struct]) -> None:
    """Replace what is often asked."""
    await _FAQS.forget(ctx, event_id)
    await _FAQS.put(ctx, [(event_id, position, each) for position, each in enumerate(faqs)])


async def put_resources(ctx: Ctx, event_id: UUID, resources: Sequence[Struct]) -> None:
    """Replace where to read more."""
    await _RESOURCES.forget(ctx, event_id)
    await _RESOURCES.put(ctx, [(event_id, position, each) for position, each in enumerate(resources)])
