"""The verb of an event's join form: its questions are written as a whole, and in one order."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from muster.events import queries as events
from muster.events.commands.finding import is_left_to_do, lock_event_for
from muster.events.facts import EventUpdated
from muster.events.joining import queries
from muster.events.joining.form import LONGEST_ANSWER, Asked, Question, QuestionKind, question_problems
from muster.events.joining.views import EventJoinFormView
from muster.events.limits import EVENT_WRITE
from muster.events.rules import Deed
from muster.events.sponsorship.limiting import hold_to_plan
from muster.events.sponsorship.plans import PlanLimit
from muster.kit.arguments import Input
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, PreconditionFailed
from muster.kit.ids import new_id

Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


class JoinQuestionInput(Input):
    """A question to who wants in.

    kind: how it is answered. label: the question, a line of plain text. help: a line below it. required: whether nobody
    gets in without an answer. options: to choose from. max_length: characters of an answer in words.
    """

    kind: QuestionKind
    label: Annotated[Line, Meta(examples=["What do you play?"])]
    help: Line | None = None
    required: bool = True
    options: Annotated[list[Line], Meta(max_length=10)] = []
    max_length: Annotated[int, Meta(ge=1, le=LONGEST_ANSWER)] | None = None


class UpdateJoinFormInput(Input):
    """What an event asks of who wants in.

    questions: all of them, in their order; without any, it asks nothing. version: of the form that the change is meant
    for, 0 where there was none; another is refused.
    """

    questions: Annotated[list[JoinQuestionInput], Meta(max_length=50)]
    version: int | UnsetType = UNSET


@command("PUT /events/{event_id}/join-form", "updateEventJoinForm", allow=member, limit=EVENT_WRITE)
async def update_join_form(ctx: Ctx, *, event_id: UUID, input: UpdateJoinFormInput) -> EventJoinFormView:
    """Replace what an event asks of who wants in. Answers that were given stay as they are, with what was asked then.

    A question that is not changed keeps its id, so that who is answering right now is not thrown back.
    Raises EventNotFound, NotOrganiser, EventIsCancelled, PreconditionFailed, Invalid, PlanLimitReached.
    """
    # The lock lets the form change between two who join, not while one does.
    event, _ = await lock_event_for(ctx, event_id, Deed.UPDATE)
    is_left_to_do(ctx, event, Deed.UPDATE)
    before = await queries.form_of(ctx, event_id)
    if input.version is not UNSET and input.version != before.version:
        raise PreconditionFailed
    asked = [
        Asked(each.kind, each.label, each.help, each.required, tuple(each.options), each.max_length)
        for each in input.questions
    ]
    if problems := question_problems(asked):
        raise Invalid.of(problems)
    if len(asked) > len(before.read()):
        await hold_to_plan(ctx, event_id, {PlanLimit.JOIN_QUESTIONS: len(asked)})
    known = {each.asked: each.id for each in before.read()}
    questions = [_question(known.get(each) or new_id(), each) for each in asked]
    if before.form_id is None or questions != before.read():
        form_id = await queries.put_form(ctx, event_id, before, questions)
        await events.count_change(ctx, event_id)
        ctx.record(EventUpdated(event_id=event_id, user_id=ctx.user_id, changed=["joinForm"]))
        return EventJoinFormView.ref(form_id)
    return EventJoinFormView.ref(before.form_id)


def _question(question_id: UUID, asked: Asked) -> Question:
    return Question(question_id, asked.kind, asked.label, asked.help, asked.required, asked.options, asked.max_length)
