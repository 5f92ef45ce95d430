"""The join form of an event as fields of a page's form, and what was filled in as answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from muster.events.joining.form import QuestionKind

_PREFIX = "q."


def fields_of(questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The questions with the names of their fields: one for each option where some may be chosen."""
    return [
        {**each, "name": _name(each), "names": [f"{_name(each)}.{at}" for at in range(len(each["options"]))]}
        for each in questions
    ]


def answers_of(questions: Sequence[Mapping[str, Any]], fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was filled in, as `joinEvent` takes it; what was left empty is no answer."""
    found = [{"questionId": each["id"], **_answer(each, fields)} for each in questions]
    return [each for each in found if len(each) > 1]


def _answer(question: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    name = _name(question)
    if question["kind"] == QuestionKind.MULTI_CHOICE:
        chosen = [option for at, option in enumerate(question["options"]) if f"{name}.{at}" in fields]
        return {"choices": chosen} if chosen else {}
    given = fields.get(name, "").strip()
    key = "text" if question["kind"] == QuestionKind.TEXT else "choice"
    return {key: given} if given else {}


def _name(question: Mapping[str, Any]) -> str:
    return f"{_PREFIX}{question['id']}"
