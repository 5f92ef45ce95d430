"""The benchmarks run on today's tables and endpoints, on a town small enough for a test."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree as ET

import jwt
import msgspec
import psycopg
import pytest
import pytest_asyncio
from psycopg.conninfo import conninfo_to_dict

from bench.chapters import Chapter, Column, Match, at_least, at_most
from bench.data import Sample, Scale, fill, sample
from bench.floor import Sql
from bench.isolation import costs, same_rows
from bench.load import Load, send
from bench.picture import Bar, picture
from bench.scenarios import SCENARIOS, Scenario, differences, only_ours
from bench.statements import Statements
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls
from muster.testing.client import Client
from muster.testing.serving import Service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = Scale(people=100, events=440, each=4)


@dataclass(frozen=True)
class World:
    """A filled database, served; and two people who are signed in."""

    service: Service
    sample: Sample
    tokens: tuple[str, ...]
    superuser: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(module_urls: Urls, server: EmbeddedPostgres) -> AsyncIterator[World]:
    superuser = server.superuser_url(str(conninfo_to_dict(module_urls.owner)["dbname"]))
    fill(module_urls, superuser, SMALL, lambda _step: None)
    async with serving(module_urls) as service:
        sessions = [(await Client(service).call("devLogin", name=f"Caller {number}")).ok() for number in range(2)]
        tokens = tuple(session["accessToken"] for session in sessions)
        yield World(service, sample(module_urls), tokens, superuser)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_every_scenario_succeeds(world: World, scenario: Scenario) -> None:
    port = int(world.service.address.rpartition(":")[2])
    scripts = [script[:20] for script in scenario.scripts(world.sample, world.tokens, turn=0)]
    sent = await asyncio.to_thread(send, Load((port,), scripts, seconds=20, warm=0, again=False))
    assert sent.failures == 0, sent.sample
    assert sent.requests == sum(len(script) for script in scripts)


async def test_isolated_and_bare_statements_find_the_same(world: World) -> None:
    claims = jwt.decode(world.tokens[0], options={"verify_signature": False})
    statements = Statements(world.sample, UUID(claims["sub"]), UUID(claims["sid"]))
    for cost in costs(statements):
        # The check of the caller joins members to their tenant; besides that nobody names it.
        assert "tenant_id = " not in cost.served.text.replace("members.tenant_id = tenants.id", "")
        same_rows(cost, world.service.urls.app, world.superuser)


async def test_pgbench_gets_the_literals_that_were_meant(world: World) -> None:
    literal = "'HH24:MI \\ it''s :x'"
    written = Sql(f"select {literal}", ()).script.removeprefix("select ").removesuffix(";\n")
    assert not re.search(r":\w", written)
    with psycopg.connect(world.service.urls.app) as connection:
        row = connection.execute(f"select {written} = {literal}".encode()).fetchone()
    assert row == (True,)


async def test_differences_are_found_and_named() -> None:
    ours = {"a": [{"at": "2031-01-01T00:00:00.000000Z", "n": 1, "endCursor": "x"}], "more": 1}
    theirs = {"a": [{"at": "2031-01-01T01:00:00+01:00", "n": 1, "endCursor": "y"}]}
    assert differences(ours, theirs) == []
    assert only_ours(ours, theirs) == {"more"}
    assert differences(ours, {"a": [{"at": None, "n": 2, "other": 1}]}) == [
        ".a[0].other: only theirs",
        ".a[0].at: '2031-01-01T00:00:00.000000Z' is ours, None theirs",
        ".a[0].n: 1 is ours, 2 theirs",
    ]
    assert differences([1], [1, 2]) != []


async def test_the_picture_is_well_formed() -> None:
    drawn = ET.fromstring(picture({"a < b": [Bar("ours", 10, is_ours=True), Bar("theirs", 5, is_ours=False)]}))  # noqa: S314 - our own
    widths = [float(each.attrib["width"]) for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1] == 2 * widths[2]


async def test_a_chapter_tells_medians_and_what_was_reached(tmp_path: Path) -> None:
    match = Match("a race", (Column("rate", "laps/s"), Column("p99", "p99 ms", ".1f")))
    for ours, theirs in ((10, 4), (30, 5), (20, 10)):
        match.add("ours", {"rate": ours, "p99": ours / 10})
        match.add("theirs", {"rate": theirs, "p99": 1.0})
    targets = [
        *at_least("rate", 5, match.ratio("rate", "ours", "theirs")),
        *at_most("p99", 2, match.median("ours", "p99")),
    ]
    assert at_least("rate", 1, match.ratio("rate", "ours", "nobody")) == []
    chapter = Chapter("race", "A race", "Once around.", [match], targets)
    chapter.write(tmp_path)
    page = (tmp_path / "race.md").read_text()
    assert "| ours | 20 | 2.0 | 200% |" in page
    assert "| theirs | 5 | 1.0 | 150% |" in page
    assert "| rate | >= 5 | 4.00 | missed |" in page
    assert "| p99 | <= 2 | 2.00 | reached |" in page
    assert msgspec.json.decode((tmp_path / "race.json").read_bytes())["matches"][0]["rounds"]["ours"][1]["rate"] == 30
