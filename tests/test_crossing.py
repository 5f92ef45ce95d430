"""Batches that name the same things in opposite orders: they go one after the other, and none waits for a deadlock."""

import asyncio
from uuid import UUID

from structlog.testing import capture_logs

from muster.testing.people import Standing
from muster.testing.town import Town, make_event

ROUNDS = 8


async def test_batches_that_cross_go_one_after_the_other(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    events = [await make_event(owner) for _ in range(4)]

    async def rename(order: list[UUID], title: str) -> int:
        operations = [
            {"method": "PATCH", "path": f"/api/v1/events/{each}", "body": {"title": f"{title} {each}"}}
            for each in order
        ]
        told = await town.service.http.post("/api/v1/batch", json={"operations": operations}, headers=owner.headers())
        return told.status_code

    with capture_logs() as said:
        for number in range(ROUNDS):
            there, back = rename(events, f"There {number}"), rename(events[::-1], f"Back {number}")
            assert {*await asyncio.gather(there, back)} == {200}
    assert [each for each in said if each["event"] == "command.retried"] == []
