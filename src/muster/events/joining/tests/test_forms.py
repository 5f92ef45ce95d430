"""The join form: which questions and answers fit, and what becomes of answers when the form changes."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.joining.form import Asked, Given, Question, QuestionKind, answer_problems, kept, question_problems
from muster.events.tests.support import at_once, some_people
from muster.testing.client import Way
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.town import make_event

K = QuestionKind
WORDS = Asked(K.TEXT, "Who are you?", None, True, (), None)
ONE = Asked(K.SINGLE_CHOICE, "Which colour?", None, True, ("White", "Black"), None)
SOME = Asked(K.MULTI_CHOICE, "Which days?", "More is better", False, ("SA", "SU"), None)
IDS = [UUID(int=number) for number in range(1, 5)]
FORM = [
    Question(each, *(getattr(asked, name) for name in Asked.__struct_fields__))
    for each, asked in zip(IDS, (WORDS, ONE, SOME), strict=False)
]
FIT = [Given(IDS[0], text="Ada"), Given(IDS[1], choice="Black"), Given(IDS[2], choices=("SU",))]


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        ([WORDS, ONE, SOME], []),
        ([Asked(K.TEXT, "A", None, True, ("x",), None)], ["input.questions[0].options"]),
        ([WORDS, Asked(K.SINGLE_CHOICE, "A", None, True, (), None)], ["input.questions[1].options"]),
        ([Asked(K.MULTI_CHOICE, "A", None, True, ("x", "x"), None)], ["input.questions[0].options"]),
        ([Asked(K.SINGLE_CHOICE, "A", None, True, ("x",), 5)], ["input.questions[0].maxLength"]),
        ([WORDS, WORDS], ["input.questions[1].label"]),
    ],
)
def test_what_is_wrong_with_a_form(asked: list[Asked], paths: list[str]) -> None:
    assert [each.path for each in question_problems(asked)] == paths


@pytest.mark.parametrize(
    ("answers", "paths"),
    [
        (FIT, []),
        (FIT[:2], []),
        (FIT[::-1], []),
        ([], ["answers", "answers"]),
        ([Given(IDS[3], text="?"), *FIT], ["answers[0].questionId"]),
        ([*FIT, FIT[0]], ["answers[3].questionId"]),
        ([Given(IDS[0], text=" "), FIT[1]], ["answers[0].text"]),
        ([Given(IDS[0], text="x" * 2001), FIT[1]], ["answers[0].text"]),
        ([Given(IDS[0], choice="Ada"), FIT[1]], ["answers[0].choice"]),
        ([FIT[0], Given(IDS[1], choice="Green")], ["answers[1].choice"]),
        ([FIT[0], Given(IDS[1], choices=("Black",))], ["answers[1].choices"]),
        ([FIT[0], Given(IDS[1])], ["answers[1].choice"]),
        ([*FIT[:2], Given(IDS[2], choices=("SA", "FR"))], ["answers[2].choices"]),
        ([*FIT[:2], Given(IDS[2], choices=("SA", "SA"))], ["answers[2].choices"]),
        ([*FIT[:2], Given(IDS[2], choices=())], []),
    ],
)
def test_what_is_wrong_with_answers(answers: list[Given], paths: list[str]) -> None:
    assert [each.path for each in answer_problems(FORM, answers)] == paths


def test_answers_are_kept_in_the_order_of_the_form_with_what_was_asked() -> None:
    assert [(each.label, each.text, each.choice, each.choices) for each in kept(FORM, FIT[::-1])] == [
        ("Who are you?", "Ada", None, None),
        ("Which colour?", None, "Black", None),
        ("Which days?", None, None, ("SU",)),
    ]


QUESTIONS: list[dict[str, Any]] = [
    {"kind": "TEXT", "label": "Who are you?", "maxLength": 10},
    {"kind": "SINGLE_CHOICE", "label": "Which colour?", "required": False, "options": ["White", "Black"]},
]


async def _form(owner: Person, event_id: UUID, *questions: dict[str, Any], **more: Any) -> list[str]:
    """Ask these; answers with the ids of the questions."""
    given = {"questions": list(questions), **more}
    made = (await owner.client.call("updateEventJoinForm", eventId=event_id, input=given)).ok()
    return [each["id"] for each in made["questions"]]


@pytest.mark.parametrize("way", Way)
async def test_answers_stay_readable_when_the_form_changes(service: Service, way: Way) -> None:
    owner, person, other = await some_people(service, 3)
    event_id = await make_event(owner.client, joinMode="REQUEST")
    who, colour = await _form(owner, event_id, *QUESTIONS)
    assert (await person.client.call("event", way=way, id=event_id)).ok()["hasJoinForm"] is True
    refused = await person.client.call("joinEvent", way=way, eventId=event_id)
    assert (refused.code, refused.problem["errors"][0]["path"]) == ("VALIDATION_ERROR", "answers")
    wrong = [{"questionId": who, "text": "Ada"}, {"questionId": colour, "choice": "Green"}]
    refused = await person.client.call("joinEvent", way=way, eventId=event_id, answers=wrong)
    assert [each["path"] for each in refused.problem["errors"]] == ["answers[1].choice"]
    assert (await person.client.call("myMembershipForEvent", way=way, eventId=event_id)).missing
    said = [{"questionId": who, "text": "Ada"}, {"questionId": colour, "choice": "Black"}]
    asked = (await person.client.call("joinEvent", way=way, eventId=event_id, answers=said)).ok()
    expected = [
        {"questionId": who, "label": "Who are you?", "kind": "TEXT", "text": "Ada"},
        {"questionId": colour, "label": "Which colour?", "kind": "SINGLE_CHOICE", "choice": "Black"},
    ]
    assert (asked["status"], asked["answers"]) == ("PENDING", expected)
    # What is not changed keeps its id; what is changed is another question.
    again, renamed = await _form(owner, event_id, QUESTIONS[0], {**QUESTIONS[1], "label": "Which side?"})
    assert (again, renamed == colour) == (who, False)
    about = {"status": "PENDING"}
    page = (await owner.client.call("eventMembers", way=way, eventId=event_id, filter=about)).ok()["items"]
    assert [each["answers"] for each in page] == [expected]
    (await owner.client.call("approveEventRequest", eventId=event_id, userId=person.user_id)).ok()
    seen = (await other.client.call("eventMember", way=way, eventId=event_id, userId=person.user_id)).ok()
    assert seen["answers"] is None


async def test_a_form_is_replaced_by_one_hand_at_a_time(service: Service) -> None:
    owner, person = await some_people(service, 2)
    event_id = await make_event(owner.client)
    assert (await owner.client.call("eventJoinForm", eventId=event_id)).missing
    assert (await owner.client.call("joinEvent", eventId=event_id)).ok()["status"] == "JOINED"
    given = {"questions": QUESTIONS, "version": 0}
    calls = [owner.client.call("updateEventJoinForm", eventId=event_id, input=given) for _ in range(4)]
    codes = sorted(str(answer.code) for answer in await at_once(*calls))
    assert codes == ["None", *["PRECONDITION_FAILED"] * 3]
    form = (await person.client.call("eventJoinForm", eventId=event_id)).ok()
    assert (form["version"], len(form["questions"])) == (1, 2)
    unanswerable = {"questions": [{"kind": "MULTI_CHOICE", "label": "Which?"}]}
    refused = await owner.client.call("updateEventJoinForm", eventId=event_id, input=unanswerable)
    assert [each["path"] for each in refused.problem["errors"]] == ["questions[0].options"]
    stranger = await person.client.call("updateEventJoinForm", eventId=event_id, input={"questions": []})
    assert stranger.code == "NOT_ORGANISER"
    assert await _form(owner, event_id, version=1) == []
    assert (await person.client.call("joinEvent", eventId=event_id)).ok()["status"] == "JOINED"
