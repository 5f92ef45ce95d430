"""SQL of joining: what organisers do with memberships, closing by hand, and the history of both."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Uuid, any_, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upserting

from muster.events.joining.form import Question
from muster.events.joining.tables import EventJoinForm, EventMemberChange
from muster.events.rules import MemberDeed
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, given, insertion
from muster.kit.ids import new_id

_CHANGE_COLUMNS = ("tenant_id", "id", "event_id", "user_id", "deed", "status", "role", "at", "actor_id", "note")
_CHANGE = Statement(
    Nothing,
    insert(EventMemberChange).from_select(
        _CHANGE_COLUMNS, select(given(**{name: getattr(EventMemberChange, name).type for name in _CHANGE_COLUMNS}))
    ),
)
_MEMBER = EventMember.id == bindparam("member", type_=EventMember.id.type)
_WAIT = Statement(
    Nothing,
    update(EventMember).where(_MEMBER).values(status=EventMemberStatus.WAITLIST, queue_number=EventMember.asked_number),
)
_BAN_STRANGER = insertion(
    Nothing, EventMember, "tenant_id", "id", "event_id", "user_id", "role", "status", "asked_at", "note"
)
_REJECT = Statement(
    Nothing,
    update(EventMember).where(_MEMBER).values(status=EventMemberStatus.REJECTED, reject_reason=bindparam("reason")),
)
_NOTE = Statement(Nothing, update(EventMember).where(_MEMBER).values(note=bindparam("remark")))


def put_change(
    ctx: Ctx,
    *,
    event_id: UUID,
    user_id: UUID,
    deed: MemberDeed,
    status: EventMemberStatus,
    role: EventMemberRole = EventMemberRole.PARTICIPANT,
    note: str | None = None,
    of_itself: bool = False,
) -> None:
    """Write down what is done with a membership. status, role: from now on. of_itself: nobody did it, it followed."""
    ctx.write(
        _CHANGE,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        event_id=event_id,
        user_id=user_id,
        deed=deed,
        status=status,
        role=role,
        at=ctx.now,
        actor_id=None if of_itself else ctx.actor.user_id,
        note=note,
    )


async def let_wait(ctx: Ctx, *, member_id: UUID) -> None:
    """Put who asked into the queue of the locked event, by the number that they drew when they asked."""
    await ctx.db.run(_WAIT, member=member_id)


async def reject(ctx: Ctx, *, member_id: UUID, reason: str | None = None) -> None:
    """Reject who asked, or was banned until now. reason: what they are told."""
    await ctx.db.run(_REJECT, member=member_id, reason=reason)


async def ban_stranger(ctx: Ctx, event_id: UUID, user_id: UUID, *, note: str | None) -> UUID:
    """Ban somebody who has no membership of the locked event; answers with the id of the one that says so."""
    member_id = new_id()
    await ctx.db.run(
        _BAN_STRANGER,
        tenant_id=ctx.tenant_id,
        id=member_id,
        event_id=event_id,
        user_id=user_id,
        role=EventMemberRole.PARTICIPANT,
        status=EventMemberStatus.BANNED,
        asked_at=ctx.now,
        note=note,
    )
    banned = EventMemberStatus.BANNED
    put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.BAN, status=banned, note=note)
    return member_id


async def put_note(ctx: Ctx, *, member_id: UUID, note: str | None) -> None:
    """Keep what the organisers note of a member."""
    await ctx.db.run(_NOTE, member=member_id, remark=note)


_CLOSE = Statement(
    Nothing,
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(
        join_closed_at=bindparam("closed_at"),
        join_closed_by_id=bindparam("closed_by"),
        join_close_reason=bindparam("reason"),
        version=Event.version + 1,
        updated_at=bindparam("moment"),
    ),
)


async def put_closed(ctx: Ctx, event_id: UUID, *, is_closed: bool, reason: str | None = None) -> None:
    """Close the locked event to who wants in, or open it again, which forgets who closed it and why."""
    await ctx.db.run(
        _CLOSE,
        event=event_id,
        closed_at=ctx.now if is_closed else None,
        closed_by=ctx.user_id if is_closed else None,
        reason=reason,
        moment=ctx.now,
    )


class FormRow(Row):
    """What an event asks. questions: as JSON."""

    form_id: UUID | None = None
    event_id: UUID | None = None
    version: int = 0
    questions: str = "[]"

    def read(self) -> list[Question]:
        """Its questions, in their order."""
        return msgspec.json.decode(self.questions, type=list[Question])


_FORMS = Statement(
    FormRow,
    select(
        EventJoinForm.id.label("form_id"), EventJoinForm.event_id, EventJoinForm.version, EventJoinForm.questions
    ).where(EventJoinForm.event_id == any_(bindparam("events", type_=ARRAY(Uuid())))),
)
_new_form = upserting(EventJoinForm)
_PUT_FORM = Statement(
    Nothing,
    _new_form.on_conflict_do_update(
        index_elements=["tenant_id", "event_id"],
        set_={"version": _new_form.excluded.version, "questions": _new_form.excluded.questions},
    ),
    insert_keys=("tenant_id", "id", "event_id", "version", "questions"),
)
_ASKS = Statement(Nothing, update(Event).where(Event.id == bindparam("event")).values(has_join_form=bindparam("asks")))


async def forms_of(tx: Transaction, event_ids: Collection[UUID]) -> dict[UUID, list[Question]]:
    """What locked events ask, of those that have a form."""
    found = await tx.all(_FORMS, events=list(event_ids))
    return {each.event_id: each.read() for each in found if each.event_id is not None}


async def form_of(ctx: Ctx, event_id: UUID) -> FormRow:
    """What an event asks; version 0 of nothing where it never had a form."""
    return await ctx.db.one(_FORMS, events=[event_id]) or FormRow()


async def put_form(ctx: Ctx, event_id: UUID, before: FormRow, questions: Sequence[Question]) -> UUID:
    """Replace what a locked event asks; answers with the form's id."""
    form_id = before.form_id or new_id()
    written = msgspec.json.encode(questions).decode()
    version = before.version + 1
    await ctx.db.run(
        _PUT_FORM, tenant_id=ctx.tenant_id, id=form_id, event_id=event_id, version=version, questions=written
    )
    await ctx.db.run(_ASKS, event=event_id, asks=bool(questions))
    return form_id
