"""The demo community: loaded whole, once, by the rules of everything else, and never in production."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from muster.identity.seed import PEOPLE
from muster.kit.db.migrate import Urls
from muster.testing.client import Client
from muster.testing.serving import Service, serving
from muster.testing.shell import database_settings, muster, started
from muster.testing.work import drain

SECRET = "x" * 32
ACCOUNTS = len(PEOPLE) + 1
"""With the one that has the conferences."""
WRONG_COUNTS = """
select e.title from events e
 where joined_count <> (select count(*) from event_members m where m.tenant_id = e.tenant_id and m.event_id = e.id
                           and m.status = 'JOINED')
    or joined_count <> (select count(*) from room_seats s where s.tenant_id = e.tenant_id and s.room_id = e.id)
    or (joined_count < max and exists (select from event_members m where m.tenant_id = e.tenant_id
                                          and m.event_id = e.id and m.status = 'WAITLIST'))
"""
LOADING = "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"


def ask(urls: Urls, question: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(urls.owner, options="-c muster.maintenance=on") as connection:
        return connection.execute(question.encode()).fetchall()


def one(urls: Urls, question: str) -> Any:
    return ask(urls, question)[0][0]


def settings_of(urls: Urls) -> dict[str, str]:
    return {"JWT_SECRET": SECRET, **database_settings(urls)}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


async def sign_in(service: Service, account: dict[str, str]) -> Client:
    session = await Client(service).call("login", email=account["email"], password=account["password"])
    return Client(service, session.ok()["accessToken"])


async def test_a_living_community_is_there(urls: Urls, tmp_path: Path) -> None:
    done = muster("demo", "--json", folder=tmp_path, **settings_of(urls))
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["demo"] == "loaded"
    assert one(urls, "select count(*) from users") == ACCOUNTS
    assert one(urls, "select count(*) from events where status = 'PUBLISHED' and starts_at > now()") > 300
    assert one(urls, "select count(*) from events where starts_at <= now()") == 0
    assert one(urls, "select count(*) from event_members where status = 'JOINED'") > 600
    assert one(urls, "select count(distinct event_id) from event_members where status = 'WAITLIST'") >= 4
    assert one(urls, "select count(*) from messages") > 30
    assert ask(urls, WRONG_COUNTS) == []
    await drain(urls, seconds=60)
    async with serving(urls) as service:
        nora, milo = [await sign_in(service, account) for account in told["accounts"]]
        for client in (nora, milo):
            assert (await client.call("myNotifications")).ok()["items"]
            assert len((await client.call("events", filter={"city": "kraków"})).ok()["items"]) >= 9
        kinds = {each["kind"] for each in (await milo.call("myNotifications")).ok()["items"]}
        assert "WAITLIST_PROMOTED" in kinds, "Milo waited, and Quentin had to travel"
        teams = [{each["name"] for each in (await who.call("teams")).ok()["items"]} for who in (nora, milo)]
        assert teams[0] - teams[1] == {"Summer party"}, "which is private, and Nora's"
        assert teams[1] == {"Welcome desk", "Trail scouts"}
        club = (await milo.in_tenant("harbour-chess").call("events")).ok()
        assert [each["title"] for each in club["items"]] == ["Blitz on Thursdays"]
    again = muster("demo", "--json", folder=tmp_path, **settings_of(urls))
    assert json.loads(again.stdout)["demo"] == "already there"
    assert one(urls, "select count(*) from users") == ACCOUNTS


def test_killed_half_way_leaves_nothing_and_loads_again(urls: Urls, tmp_path: Path) -> None:
    with started("demo", folder=tmp_path, **settings_of(urls)) as running:
        until(lambda: one(urls, LOADING) > 0)
        running.kill()
    assert running.returncode < 0
    until(lambda: one(urls, LOADING) == 0)
    assert one(urls, "select count(*) from users") == 0
    assert muster("demo", folder=tmp_path, **settings_of(urls)).returncode == 0
    assert one(urls, "select count(*) from users") == ACCOUNTS


def test_two_at_once_load_one(urls: Urls, tmp_path: Path) -> None:
    with (
        started("demo", folder=tmp_path, **settings_of(urls)) as first,
        started("demo", folder=tmp_path, **settings_of(urls)) as second,
    ):
        said = [process.communicate() for process in (first, second)]
    assert sum("is loaded" in out for out, _ in said) == 1, said
    assert one(urls, "select count(*) from users") == ACCOUNTS


def test_who_has_people_already_gets_no_strangers(urls: Urls, tmp_path: Path) -> None:
    muster("user", "create", "ada@example.org", "Ada", folder=tmp_path, **settings_of(urls))
    told = json.loads(muster("demo", "--first-start", "--json", folder=tmp_path, **settings_of(urls)).stdout)
    assert (told["demo"], told["accounts"]) == ("left out", [])
    assert one(urls, "select count(*) from users") == 1


@pytest.mark.parametrize(("environ", "code"), [({"MUSTER_DEMO": "off"}, 0), ({"MUSTER_ENV": "production"}, 1)])
def test_it_can_be_left_out_and_is_in_production(
    urls: Urls, tmp_path: Path, environ: dict[str, str], code: int
) -> None:
    done = muster("demo", "--first-start", folder=tmp_path, **settings_of(urls), **environ)
    assert done.returncode == code
    assert "demo.example" not in done.stdout
    assert one(urls, "select count(*) from users") == 0
