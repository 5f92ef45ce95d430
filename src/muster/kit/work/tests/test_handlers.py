"""The table of handlers."""

from types import FunctionType

import pytest

from muster.kit.commands.context import Ctx
from muster.kit.work.handlers import HANDLERS, followers, on
from muster.kit.work.tests.support import Followed, Happened, answer


async def again(ctx: Ctx, fact: Followed) -> None: ...


def test_a_handler_is_named_by_its_module_and_function() -> None:
    on(Happened, answer)
    assert list(followers()) == ["kit.work.tests.support.answer"]


def test_handlers_stay_in_the_order_of_the_table() -> None:
    on(Followed, again)
    on(Happened, answer)
    assert [follower.function for follower in HANDLERS[Followed]] == [again]
    assert list(HANDLERS) == [Followed, Happened]


def test_one_handler_may_follow_two_facts() -> None:
    async def both(_ctx: Ctx, _fact: Happened | Followed) -> None: ...

    on(Happened, both)
    on(Followed, both)
    assert len(followers()) == 1


def test_a_handler_follows_a_fact_once() -> None:
    on(Happened, answer)
    with pytest.raises(TypeError, match="registered twice"):
        on(Happened, answer)


def test_two_handlers_of_one_name_are_refused() -> None:
    namesake = FunctionType(again.__code__, {}, "answer")
    namesake.__module__ = answer.__module__
    on(Happened, answer)
    with pytest.raises(TypeError, match="another name"):
        on(Followed, namesake)
