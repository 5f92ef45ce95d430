"""`muster import events`, as an operator runs it: report, refused rows, exit codes, and a kill half-way."""

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls
from muster.testing.shell import database_settings, muster, started

EVENTS = """
select count(*), count(distinct (source, source_id)),
       count(*) filter (where exists (select from rooms r where r.tenant_id = e.tenant_id and r.id = e.id))
  from events e
"""
"""How many events, how many different ones, and how many with their room."""


def events(urls: Urls) -> tuple[Any, ...]:
    with psycopg.connect(urls.owner, options="-c muster.maintenance=on") as connection:
        return connection.execute(EVENTS).fetchone() or ()


@pytest.fixture
def settings(urls: Urls, tmp_path: Path) -> dict[str, str]:
    """Of a community that Ada owns."""
    found = {"JWT_SECRET": "x" * 32, **database_settings(urls)}
    made = muster("user", "create", "ada@example.org", "Ada", "--role", "owner", folder=tmp_path, **found)
    assert made.returncode == 0
    return found


def row(number: int, **changes: object) -> str:
    return json.dumps(
        {"name": f"Meeting {number}", "start_date": "2031-05-01", "online": True, "url": "https://x.org"} | changes
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_row_is_answered_for_and_refused_ones_are_kept(settings: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "meetings.jsonl"
    bad = ['{"name": "No day"}', "no JSON at all", row(3, url="ftp://x")]
    file.write_text("\n".join([row(1), *bad, row(2)]) + "\n")
    done = muster("import", "events", str(file), "--json", folder=tmp_path, **settings)
    assert done.returncode == 1
    assert done.stderr == (
        "muster: 3 rows were refused; they are in meetings.report.refused.jsonl, the reasons in meetings.report.jsonl. "
        "Once mended they come in with --source meetings.\n"
    )
    told = json.loads(done.stdout)
    assert {name: told[name] for name in ("created", "updated", "unchanged", "refused")} == {
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "refused": 3,
    }
    report = lines(tmp_path / told["report"])
    assert [(each["line"], each["outcome"]) for each in report] == [
        (1, "created"),
        (2, "refused"),
        (3, "refused"),
        (4, "refused"),
        (5, "created"),
    ]
    assert [each["reasons"][0]["path"] for each in report if "reasons" in each] == ["start_date", "", "url"]
    assert (tmp_path / told["refusedRows"]).read_text() == "\n".join(bad) + "\n"


def test_refused_rows_once_mended_come_in_by_themselves(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "meetings.jsonl").write_text(row(1) + "\n" + row(2, url="ftp://x") + "\n")
    muster("import", "events", "meetings.jsonl", folder=tmp_path, **settings)
    refused = tmp_path / "meetings.report.refused.jsonl"
    refused.write_text(refused.read_text().replace("ftp", "https"))
    again = muster(
        "import",
        "events",
        refused.name,
        "--source",
        "meetings",
        "--report",
        "second",
        "--json",
        folder=tmp_path,
        **settings,
    )
    assert json.loads(again.stdout)["created"] == 1
    assert not (tmp_path / "second.refused.jsonl").exists()


def test_tables_and_calendars_come_in_with_their_broken_rows_set_aside(
    settings: dict[str, str], tmp_path: Path
) -> None:
    head = "Name;Start date;Start time;Online;URL"
    table = [
        head,
        "Chess;2031-05-01;19:00;yes;https://x.org",
        '"broken;2031-05-01;;;',
        "Go;2031-05-02;;yes;https://x.org",
    ]
    (tmp_path / "table.csv").write_text("\n".join(table) + "\n")
    done = muster("import", "events", "table.csv", "--json", folder=tmp_path, **settings)
    assert (done.returncode, json.loads(done.stdout)["created"], json.loads(done.stdout)["refused"]) == (1, 2, 1)
    refused = tmp_path / "table.report.refused.csv"
    assert refused.read_text().splitlines() == [head, table[2]]
    refused.write_text(refused.read_text().replace('"broken;2031-05-01;;;', "Mended;2031-05-01;;1;https://x.org"))
    again = muster("import", "events", refused.name, "--source", "table", "--json", folder=tmp_path, **settings)
    assert json.loads(again.stdout)["created"] == 1
    event = "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Bridge\r\nDTSTART:20310501T170000Z\r\nLOCATION:https://x.org\r\nEND:VEVENT\r\n"
    (tmp_path / "club").write_text(f"BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n")
    for outcome in ("created", "unchanged"):
        done = muster("import", "events", "club", "--format", "ics", "--json", folder=tmp_path, **settings)
        assert json.loads(done.stdout)[outcome] == 1


def test_a_terminal_shows_a_bar_and_a_pipe_does_not(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(row(1) + "\n")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "muster.cli", "import", "events", "rows.jsonl"]
    environ = {"MUSTER_DATA_DIR": str(tmp_path), "TERM": "xterm", **settings}
    said = subprocess.run(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=theirs, check=True).stdout
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "Importing" in shown
    assert "100 %" in shown
    assert said.startswith(b"1 created, ")
    assert muster("import", "events", "rows.jsonl", folder=tmp_path, **settings).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.jsonl",), "nowhere.jsonl is not a file"),
        (("rows.jsonl", "--report", "rows.jsonl"), "The report would replace rows.jsonl"),
        (("rows.refused.jsonl", "--report", "rows.jsonl"), "The report would replace rows.refused.jsonl"),
        (("rows.jsonl", "--format", "csv"), "rows.jsonl cannot be read: the first line has to name the columns"),
        (("rows.jsonl", "--owner", "bob@example.org"), "No member of this community has the mail bob@example.org"),
        (("rows.jsonl", "--tenant", "nowhere"), "There is no community 'nowhere'"),
    ],
)
def test_what_cannot_be_imported_is_said(
    settings: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    files = [tmp_path / name for name in ("rows.jsonl", "rows.refused.jsonl")]
    for file in files:
        file.write_text(row(1) + "\n")
    failed = muster("import", "events", *arguments, folder=tmp_path, **settings)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(f"muster: {says}")
    assert [file.read_text() for file in files] == [row(1) + "\n"] * 2


def test_killed_half_way_the_next_run_completes_it(settings: dict[str, str], urls: Urls, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(row(number) + "\n" for number in range(3000)))
    arguments = ("import", "events", "rows.jsonl", "--json")
    with started(*arguments, folder=tmp_path, **settings) as running:
        while events(urls)[0] == 0:
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
        running.kill()
    left = events(urls)
    assert 0 < left[0] < 3000
    assert left == (left[0],) * 3, "no event is half there"
    told = json.loads(muster(*arguments, folder=tmp_path, **settings).stdout)
    assert (told["created"], told["unchanged"], told["refused"]) == (3000 - left[0], left[0], 0)
    assert events(urls) == (3000, 3000, 3000)


def test_a_lost_database_is_one_sentence(
    settings: dict[str, str], server: EmbeddedPostgres, urls: Urls, tmp_path: Path
) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(row(number) + "\n" for number in range(5000)))
    database = urls.app.partition("?")[0].rpartition("/")[2]
    with started("import", "events", "rows.jsonl", folder=tmp_path, **settings) as running:
        while events(urls)[0] == 0:
            assert running.poll() is None, "it ended before its database was lost"
            time.sleep(0.005)
        with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database])
        _, complained = running.communicate()
    assert running.returncode == 1
    assert complained == "muster: The database cannot answer right now; try again in a moment.\n"
