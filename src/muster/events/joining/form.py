"""What an event asks of who wants in: its questions, and whether answers fit them. Decisions, no SQL."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from muster.kit.errors import FieldProblem

LONGEST_ANSWER = 2000
"""Characters of an answer in words, where the question sets no bound of its own."""


class QuestionKind(StrEnum):
    """How a question is answered: in words, by one of its options, or by some of them."""

    TEXT = "TEXT"
    SINGLE_CHOICE = "SINGLE_CHOICE"
    MULTI_CHOICE = "MULTI_CHOICE"


class Asked(Struct, frozen=True, rename="camel"):
    """What a question asks. help: a line below it. max_length: characters of an answer in words; None is the usual."""

    kind: QuestionKind
    label: str
    help: str | None
    required: bool
    options: tuple[str, ...]
    max_length: int | None


class Question(Struct, frozen=True, rename="camel"):
    """A question of a form. Its id stays as long as what it asks."""

    id: UUID
    kind: QuestionKind
    label: str
    help: str | None
    required: bool
    options: tuple[str, ...]
    max_length: int | None

    @property
    def asked(self) -> Asked:
        """What it asks."""
        return Asked(self.kind, self.label, self.help, self.required, self.options, self.max_length)


class Given(Struct, frozen=True):
    """An answer as it came: in words, or by what was chosen."""

    question_id: UUID
    text: str | None = None
    choice: str | None = None
    choices: tuple[str, ...] | None = None


class KeptAnswer(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An answer as it is kept, with the question as it was asked then: so it stays readable whatever becomes of the form."""

    question_id: UUID
    label: str
    kind: QuestionKind
    text: str | None = None
    choice: str | None = None
    choices: tuple[str, ...] | None = None


_FIELD = {QuestionKind.TEXT: "text", QuestionKind.SINGLE_CHOICE: "choice", QuestionKind.MULTI_CHOICE: "choices"}
"""Where the answer to each kind stands."""


def question_problems(asked: Sequence[Asked]) -> list[FieldProblem]:
    """What is wrong with the questions of a form, by the place of each in the list."""
    problems = []
    for at, each in enumerate(asked):
        chosen = each.kind != QuestionKind.TEXT
        checks = (
            (chosen and not each.options, "options", "needs something to choose from"),
            (not chosen and bool(each.options), "options", "are for questions with a choice"),
            (len(set(each.options)) < len(each.options), "options", "must differ from each other"),
            (chosen and each.max_length is not None, "maxLength", "is for questions that are answered in words"),
            (each in asked[:at], "label", "is asked above already"),
        )
        problems += [
            FieldProblem(f"input.questions[{at}].{field}", "INVALID", message)
            for wrong, field, message in checks
            if wrong
        ]
    return problems


def answer_problems(questions: Sequence[Question], answers: Sequence[Given]) -> list[FieldProblem]:
    """What is wrong with the answers to a form, each at its place in the list; what is missing, at the list itself."""
    known = {each.id: each for each in questions}
    problems, seen = [], set[UUID]()
    for at, answer in enumerate(answers):
        question, path = known.get(answer.question_id), f"answers[{at}]"
        if question is None:
            message = "is no question of this event; its organisers may have changed the form, so read it again"
            problems.append(FieldProblem(f"{path}.questionId", "UNKNOWN_QUESTION", message))
        elif answer.question_id in seen:
            problems.append(FieldProblem(f"{path}.questionId", "INVALID", "is answered above already"))
        else:
            field, message = _problem(question, answer) or ("", "")
            problems += [FieldProblem(f"{path}.{field}", "INVALID", message)] if field else []
        seen.add(answer.question_id)
    problems += [
        FieldProblem("answers", "ANSWER_MISSING", f"lacks an answer to: {each.label}")
        for each in questions
        if each.required and each.id not in seen
    ]
    return problems


def _problem(question: Question, answer: Given) -> tuple[str, str] | None:
    """The field of an answer that does not fit its question, and why."""
    wanted = _FIELD[question.kind]
    given = {"text": answer.text, "choice": answer.choice, "choices": answer.choices}
    stray = next((name for name, value in given.items() if value is not None and name != wanted), None)
    if stray is not None:
        return stray, f"is not how this question is answered; use {wanted}"
    chosen = answer.choices or ((answer.choice,) if answer.choice is not None else ())
    words = (answer.text or "").strip()
    longest = question.max_length or LONGEST_ANSWER
    checks = (
        (question.required and not words and not chosen, "needs an answer"),
        (len(answer.text or "") > longest, f"must have at most {longest} characters"),
        (any(each not in question.options for each in chosen), "must be among the question's options"),
        (len(set(chosen)) < len(chosen), "must not name an option twice"),
    )
    return next(((wanted, message) for wrong, message in checks if wrong), None)


def kept(questions: Sequence[Question], answers: Sequence[Given]) -> list[KeptAnswer]:
    """Answers that fit, in the order of the form, with what was asked."""
    given = {each.question_id: each for each in answers}
    return [
        KeptAnswer(each.id, each.label, each.kind, given[each.id].text, given[each.id].choice, given[each.id].choices)
        for each in questions
        if each.id in given
    ]
