"""What the platform's operator may ask over HTTP, and nobody else."""

from uuid import uuid4

import pytest

from muster.kit.db.migrate import Urls
from muster.kit.sources import SettingError
from muster.settings import Settings
from muster.testing.below import change
from muster.testing.client import Client
from muster.testing.serving import serving, serving_in_process

ADDRESS = "/api/v1/admin/queues/stats"
TOKEN = "o" * 32
QUEUE = "events.notices.tell_promoted"


async def test_the_operator_is_told_how_many_jobs_there_are(urls: Urls) -> None:
    job = "insert into pgqueuer.pgqueuer (priority, status, entrypoint, execute_after) values (0, $1, $2, now() + $3)"
    for status, due in (("queued", "-1 s"), ("queued", "-1 s"), ("queued", "1 h"), ("picked", "0"), ("failed", "0")):
        await change(
            urls, job.replace("$1", f"'{status}'").replace("$2", f"'{QUEUE}'").replace("$3", f"interval '{due}'")
        )
    async with serving(urls, MUSTER_OPERATOR_TOKEN=TOKEN) as service:
        told = await service.http.get(ADDRESS, headers={"authorization": f"Bearer {TOKEN}"})
        assert told.status_code == 200, told.text
        assert told.headers["cache-control"] == "no-store"
        queues = {each.pop("name"): each for each in told.json()["queues"]}
        pausing = f"insert into paused_queues (id, queue, since) values ('{uuid4()}', '{QUEUE}', now())"  # noqa: S608
        await change(urls, pausing)
        paused = await service.http.get(ADDRESS, headers={"authorization": f"bearer {TOKEN}"})
    assert set(told.json()) == {"queues", "timestamp"}
    assert queues[QUEUE] == {"waiting": 2, "active": 1, "completed": 0, "failed": 1, "delayed": 1, "paused": 0}
    assert "kit.mail.delivery.Delivery" in queues, "a queue is told of while it is empty, too"
    [still] = [each for each in paused.json()["queues"] if each["name"] == QUEUE]
    assert (still["waiting"], still["paused"]) == (0, 2)


async def test_nobody_else_is_told(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_OPERATOR_TOKEN=TOKEN) as service:
        owner = (await Client(service).call("devLogin", name="Owner")).ok()["accessToken"]
        for authorization in (None, f"Bearer {owner}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", TOKEN):
            headers = {} if authorization is None else {"authorization": authorization}
            refused = await service.http.get(ADDRESS, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED"), authorization


async def test_without_a_token_there_is_nothing_at_the_address(urls: Urls) -> None:
    async with serving_in_process(urls) as service:
        for authorization in ("Bearer ", "Bearer None"):
            refused = await service.http.get(ADDRESS, headers={"authorization": authorization})
            assert (refused.status_code, refused.json()["code"]) == (404, "NOT_FOUND")


def test_a_short_token_is_refused() -> None:
    with pytest.raises(SettingError, match="MUSTER_OPERATOR_TOKEN has 5 characters"):
        Settings.load({"JWT_SECRET": "x" * 32, "MUSTER_OPERATOR_TOKEN": "short"})
