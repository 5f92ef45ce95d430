"""The desk of a worker: who goes on first when more jobs are under way than are served."""

import asyncio
from uuid import UUID

import pytest

from muster.kit.work.desk import Desk

CROWDED, OTHER, THIRD = (UUID(int=number) for number in range(1, 4))


class Jobs:
    """Jobs at a desk with two places. Each stays until it is told to end; `called` are those that got a place."""

    def __init__(self) -> None:
        self.desk = Desk(places=2)
        self.called: list[tuple[UUID, int]] = []
        self._ends: dict[tuple[UUID, int], asyncio.Event] = {}
        self._tasks: dict[tuple[UUID, int], asyncio.Task[None]] = {}

    async def come(self, tenant_id: UUID, *numbers: int) -> None:
        for each in ((tenant_id, number) for number in numbers):
            self._ends[each] = asyncio.Event()
            self._tasks[each] = asyncio.create_task(self._work(each))
        await self._settled()

    async def end(self, *job: tuple[UUID, int]) -> None:
        for each in job:
            self._ends[each].set()
        await self._settled()

    async def end_all(self) -> None:
        """Let one after the other end, in the order in which they got places."""
        for number in range(len(self._tasks)):
            if number < len(self.called):
                await self.end(self.called[number])

    def give_up(self, *job: tuple[UUID, int]) -> None:
        for each in job:
            self._tasks[each].cancel()

    async def _work(self, job: tuple[UUID, int]) -> None:
        async with self.desk.place(job[0]):
            self.called.append(job)
            await self._ends[job].wait()

    @staticmethod
    async def _settled() -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


async def test_who_has_little_under_way_does_not_wait_behind_who_has_much(jobs: Jobs) -> None:
    await jobs.come(CROWDED, *range(20))
    await jobs.come(OTHER, 0)
    assert jobs.called == [(CROWDED, 0), (CROWDED, 1)]
    await jobs.end((CROWDED, 0))
    assert jobs.called[2:] == [(OTHER, 0)]
    await jobs.end_all()
    assert jobs.called[3:] == [(CROWDED, number) for number in range(2, 20)], "a tenant's own stay in order"


async def test_equals_take_turns(jobs: Jobs) -> None:
    await jobs.come(CROWDED, *range(6))
    await jobs.come(OTHER, *range(3))
    await jobs.come(THIRD, *range(3))
    await jobs.end_all()
    assert [tenant_id for tenant_id, _ in jobs.called[2:]] == [OTHER, CROWDED, THIRD] * 3 + [CROWDED]


async def test_who_gives_up_takes_nobodys_place(jobs: Jobs) -> None:
    await jobs.come(CROWDED, *range(5))
    # One waits, one has its place, one is called in the moment in which it gives up.
    jobs.give_up((CROWDED, 2), (CROWDED, 0))
    await jobs.end((CROWDED, 1))
    assert jobs.called[2:] == [(CROWDED, 3), (CROWDED, 4)]
    await jobs.come(OTHER, 0)
    await jobs.end((CROWDED, 3))
    jobs.give_up((OTHER, 0))
    await jobs.come(THIRD, 0)
    assert jobs.called[-1] == (THIRD, 0)
    await jobs.end_all()
    await jobs.come(OTHER, 1, 2)
    assert jobs.called[-2:] == [(OTHER, 1), (OTHER, 2)], "both places are free again"
