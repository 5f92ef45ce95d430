"""What operators do at the command line: accounts, communities, tokens, and looking whether all is well."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import asyncpg
import pytest

from muster.kit.db.migrate import Urls
from muster.kit.mail.tests.post_office import post_office
from muster.testing.auditing import as_worker, seal
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.serving import serving
from muster.testing.shell import database_settings, muster
from muster.testing.town import add_passkey

SECRET = "x" * 32
"""What the service of the tests signs with."""

Operate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def operate(urls: Urls, tmp_path: Path) -> Operate:
    """Runs a verb on the test's database."""

    def run(*arguments: str, stdin: str | None = None, **environ: str) -> "subprocess.CompletedProcess[str]":
        given = {"JWT_SECRET": SECRET, **database_settings(urls), **environ}
        return muster(*arguments, folder=tmp_path, stdin=stdin, **given)

    return run


def told(done: "subprocess.CompletedProcess[str]") -> Any:
    """What a verb that went well printed as JSON."""
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def files(folder: Path) -> set[str]:
    """The files of a folder that hold an archive, or the half of one."""
    return {each.name for each in folder.rglob("*.zip*")}


async def test_a_made_account_signs_in_and_owns_the_community(operate: Operate, urls: Urls) -> None:
    made = told(operate("user", "create", "Ada@Example.org", "Ada", "--role", "owner", "--json"))
    founded = told(operate("tenant", "create", "chess-club", "Chess club", "--owner", "ada@example.org", "--json"))
    assert [each["email"] for each in told(operate("user", "list", "--json"))] == ["ada@example.org"]
    assert [each["slug"] for each in told(operate("tenant", "list", "--json"))] == ["main", "chess-club"]
    [member] = told(operate("user", "list", "--tenant", "chess-club", "--json"))
    assert (member["id"], member["role"]) == (made["id"], "owner")
    async with serving(urls) as service:
        session = (await Client(service).call("login", email="ada@example.org", password=made["password"])).ok()
        assert session["user"]["id"] == made["id"]
    acts = "select verb, actor_kind, actor_id::text, reason like 'muster % run by %' from audit_rows where verb like '% create'"
    assert await ask(urls, acts) == [
        ("user create", "system", made["id"], True),
        ("tenant create", "system", founded["ownerId"], True),
    ]


async def test_a_given_password_is_not_shown(operate: Operate, urls: Urls) -> None:
    made = operate("user", "create", "bob@example.org", "Bob", "--password-stdin", stdin="a long secret of Bob's\n")
    assert made.returncode == 0
    assert "secret" not in made.stdout
    async with serving(urls) as service:
        (await Client(service).call("login", email="bob@example.org", password="a long secret of Bob's")).ok()


def test_a_name_does_not_command_the_terminal(operate: Operate) -> None:
    operate("user", "create", "eve@example.org", "Eve \x1b[2J[red]")
    listed = operate("user", "list").stdout
    assert "Eve \N{REPLACEMENT CHARACTER}[2J[red]" in listed
    assert "\x1b" not in listed


async def test_a_token_is_good_at_once_and_audited(operate: Operate, urls: Urls) -> None:
    user_id = told(operate("user", "create", "ada@example.org", "Ada", "--json"))["id"]
    token = operate("token", "ada@example.org").stdout.strip()
    async with serving(urls) as service:
        (await Client(service, token).call("myNotifications")).ok()
    acts = "select actor_kind, actor_id::text from audit_rows where verb = 'token'"
    assert await ask(urls, acts) == [("system", user_id)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("user", "create", "ada", "Ada"), "email: "),
        (("user", "create", "ada@example.org", "Ada", "--role", "king"), "There is no role 'king'"),
        (("user", "create", "ada@example.org", "Ada", "--tenant", "nowhere"), "There is no community 'nowhere'"),
        (("user", "create", "ada@example.org"), "parameter --name requires an argument"),
        (("tenant", "create", "chess-club", "Chess club", "--owner", "a@b.c"), "Nobody has the mail a@b.c"),
        (("token", "nobody@example.org"), "Nobody has the mail nobody@example.org"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_failure(
    operate: Operate, arguments: tuple[str, ...], says: str
) -> None:
    failed = operate(*arguments)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("muster: ")
    assert says in failed.stderr
    assert failed.stderr.count("\n") == 1


def test_a_taken_mail_or_slug_is_said(operate: Operate) -> None:
    operate("user", "create", "ada@example.org", "Ada")
    operate("tenant", "create", "chess", "Chess", "--owner", "ada@example.org")
    assert "exists" in operate("user", "create", "ADA@example.org", "Ada again").stderr
    assert "taken" in operate("tenant", "create", "chess", "Chess", "--owner", "ada@example.org").stderr


def findings(done: "subprocess.CompletedProcess[str]") -> dict[str, tuple[str, str]]:
    return {each["part"]: (each["state"], each["finding"]) for each in json.loads(done.stdout)["findings"]}


def test_check_finds_nothing_wrong_with_a_good_database(operate: Operate) -> None:
    checked = operate("check", "--json")
    assert checked.returncode == 0
    found = findings(checked)
    assert found["isolation"] == ("ok", "tenants are kept apart on every table")
    assert {part: state for part, (state, _) in found.items()} == {
        "disk": "ok",
        "migrations": "ok",
        "isolation": "ok",
        "worker": "note",
        "mail": "note",
        "store": "note",
        "limits": "ok",
    }


async def test_check_knocks_at_the_mail_server(operate: Operate) -> None:
    async with post_office() as office:
        for url, state in ((office.url, "ok"), (office.url.replace("smtp:", "smtps:"), "problem")):
            checked = await asyncio.to_thread(operate, "check", "--json", SMTP_URL=url)
            assert findings(checked)["mail"][0] == state, checked.stdout
            assert checked.returncode == (state == "problem")
        assert not office.tried, "nothing was sent"


async def test_check_finds_an_open_door_and_an_old_schema(operate: Operate, urls: Urls) -> None:
    await change(urls, "alter table events no force row level security")
    await change(urls, "update alembic_version set version_num = '0001'")
    checked = operate("check", "--json")
    assert checked.returncode == 1
    found = findings(checked)
    assert found["isolation"][0] == "problem"
    assert "events does not force row level security" in found["isolation"][1]
    assert found["migrations"][0] == "problem"
    assert found["migrations"][1].startswith("at 0001, and the newest is ")


def test_check_finds_a_limit_that_there_is_not(tmp_path: Path) -> None:
    checked = muster(
        "check", "--json", folder=tmp_path, JWT_SECRET=SECRET, MUSTER_ENV="development", MUSTER_LIMITS="raed=1/60"
    )
    assert checked.returncode == 1
    assert findings(checked)["limits"][0] == "problem"
    assert findings(checked)["limits"][1].startswith("there is no limit raed; there are api, ")


def test_check_finds_a_database_that_is_not_there(tmp_path: Path) -> None:
    nowhere = f"postgresql://muster_app:hidden@/muster?host={tmp_path}"
    checked = muster("check", "--json", folder=tmp_path, **database_settings(Urls(nowhere, nowhere, nowhere)))
    assert checked.returncode == 1
    assert findings(checked)["database"][0] == "problem"
    assert "hidden" not in checked.stdout


def test_check_leaves_a_fresh_machine_as_it_is(tmp_path: Path) -> None:
    checked = muster("check", "--json", folder=tmp_path, JWT_SECRET=SECRET)
    assert checked.returncode == 0
    assert findings(checked)["database"] == ("note", "the embedded PostgreSQL has not been started yet")
    assert not list(tmp_path.iterdir())


async def test_jobs_are_looked_at_and_put_right(operate: Operate, urls: Urls) -> None:
    queue = "events.notices.tell_promoted"
    held = """
    insert into pgqueuer.pgqueuer (priority, status, entrypoint, payload)
    select 0, 'failed', $1, convert_to(jsonb_build_object(
             'tenant_id', gen_random_uuid(), 'fact_id', gen_random_uuid(), 'kind', 'event.promoted')::text, 'UTF8')
      from generate_series(1, 3) returning id
    """
    worker = await asyncpg.connect(urls.worker)
    ids = [row["id"] for row in await worker.fetch(held, queue)]
    assert told(operate("jobs", "show", str(ids[0]), "--json"))["job"]["fact"] == "event.promoted"
    assert told(operate("jobs", "pause", queue, "--json")) == {"queue": queue, "paused": True}
    assert told(operate("jobs", "retry", str(ids[0]), "--json")) == {"jobs": ids[:1]}
    assert told(operate("jobs", "discard", "--fact", "event.promoted", "--json")) == {"jobs": ids[1:]}
    stats = {each.pop("name"): each for each in told(operate("jobs", "stats", "--json"))}
    assert stats[queue] == {"waiting": 0, "active": 0, "completed": 0, "failed": 0, "delayed": 0, "paused": 1}
    await worker.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("retry",), "Say which"),
        (("pause", "nowhere"), "There is no queue 'nowhere'"),
        (("list", "--tenant", "main"), "'main' is no id"),
    ],
)
def test_what_cannot_be_done_to_jobs_is_one_sentence(operate: Operate, arguments: tuple[str, ...], says: str) -> None:
    failed = operate("jobs", *arguments)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert says in failed.stderr
    assert failed.stderr.count("\n") == 1


async def test_the_audit_log_is_verified_and_a_tampered_row_named(operate: Operate, urls: Urls, tmp_path: Path) -> None:
    told(operate("user", "create", "ada@example.org", "Ada", "--role", "owner", "--json"))
    tenant_id = await value(urls, "select id from tenants where is_default")
    async with as_worker(urls) as worker:
        await seal(worker, tenant_id)
    [whole] = told(operate("audit", "verify", "--json"))
    assert (whole["tenantId"], whole["report"]["rows"], whole["report"]["breaks"]) == (str(tenant_id), 1, [])
    ends = tmp_path / "ends.json"
    ends.write_text(json.dumps([whole]), encoding="utf-8")
    assert operate("audit", "verify", "--against", str(ends)).returncode == 0
    [row_id] = [row[0] for row in await ask(urls, "select id from audit_rows where tenant_id = $1", tenant_id)]
    await change(urls, "alter table audit_rows disable trigger user")
    await change(urls, "update audit_rows set reason = 'nobody, really' where id = $1", row_id)
    found = operate("audit", "verify", "--tenant", "main")
    assert found.returncode == 1
    assert f"row {row_id}: the row is not what was sealed" in found.stdout
    assert found.stderr == "muster: the audit log was tampered with in 1 places.\n"


async def test_a_disabled_account_is_out_at_once_and_looks_like_none(operate: Operate, urls: Urls) -> None:
    made = told(operate("user", "create", "ada@example.org", "Ada", "--json"))
    given = {"email": "ada@example.org", "password": made["password"]}
    async with serving(urls) as service:
        ada = Client(service, (await Client(service).call("login", **given)).ok()["accessToken"])
        unknown = await Client(service).call("login", email="nobody@example.org", password=made["password"])
        told(operate("user", "disable", "Ada@example.org", "--json"))
        assert (await ada.call("me")).code == "UNAUTHENTICATED"
        refused = await Client(service).call("login", **given)
        assert (refused.status, refused.problem) == (unknown.status, unknown.problem)
        told(operate("user", "enable", "ada@example.org", "--json"))
        (await Client(service).call("login", **given)).ok()
        again = told(operate("user", "reset-password", "ada@example.org", "--json"))
        assert (await Client(service).call("login", **given)).code == "WRONG_CREDENTIALS"
        session = (await Client(service).call("login", email="ada@example.org", password=again["password"])).ok()
        await add_passkey(Client(service, session["accessToken"]), "A phone that is lost")
        asked = await Client(service).call("login", email="ada@example.org", password=again["password"])
        assert asked.code == "MFA_REQUIRED"
        assert told(operate("user", "forget-factors", "ada@example.org", "--json"))["hadAny"] is True
        (await Client(service).call("login", email="ada@example.org", password=again["password"])).ok()
    nobody = operate("user", "disable", "nobody@example.org")
    assert (nobody.returncode, nobody.stderr) == (
        1,
        "muster: Nobody has the mail nobody@example.org: `muster user list` shows all.\n",
    )


async def test_communities_are_closed_opened_and_deleted(operate: Operate, urls: Urls) -> None:
    told(operate("user", "create", "ada@example.org", "Ada", "--json"))
    told(operate("tenant", "create", "chess-club", "Chess club", "--owner", "ada@example.org", "--json"))
    status = "select status from tenants where slug = 'chess-club'"
    told(operate("tenant", "suspend", "chess-club", "--reason", "Unpaid since March", "--json"))
    assert await ask(urls, "select status, status_reason from tenants where slug = 'chess-club'") == [
        ("SUSPENDED", "Unpaid since March")
    ]
    told(operate("tenant", "resume", "chess-club", "--json"))
    assert await value(urls, status) == "ACTIVE"
    told(operate("tenant", "delete", "chess-club", "--json"))
    assert [each["status"] for each in told(operate("tenant", "list", "--json"))] == ["ACTIVE", "DELETING"]
    for arguments, said in (
        (("tenant", "delete", "main"), "This is the community that everybody who registers joins"),
        (("tenant", "resume", "chess-club"), "The community is deleting"),
        (("tenant", "suspend", "no-club", "--reason", "No"), "There is no community 'no-club'"),
    ):
        refused = operate(*arguments)
        assert (refused.returncode, said in refused.stderr, refused.stderr.count("\n")) == (1, True, 1)


async def test_what_is_kept_of_a_person_and_of_a_community_is_written_whole_and_noted(
    operate: Operate, urls: Urls, tmp_path: Path
) -> None:
    ada = told(operate("user", "create", "ada@example.org", "Ada", "--role", "owner", "--json"))
    told(operate("user", "create", "bea@example.org", "Bea", "--json"))
    file = tmp_path / "ada.zip"
    of_ada = told(operate("export", "person", "Ada@example.org", str(file), "--json"))
    assert of_ada["rows"] == sum(of_ada["tables"].values()) > 0
    assert [each["name"] for each in json.loads(ZipFile(file).read("users.json"))] == ["Ada"]
    assert file.stat().st_mode & 0o777 == 0o600
    again = operate("export", "person", "ada@example.org", str(file))
    assert (again.returncode, "choose another place" in again.stderr) == (1, True)
    whole = tmp_path / "main.zip"
    assert f"are in {whole}" in operate("export", "tenant", "main", str(whole)).stdout
    assert {each["role"] for each in json.loads(ZipFile(whole).read("members.json"))} == {"owner", "participant"}
    assert files(tmp_path) == {"ada.zip", "main.zip"}
    noted = "select verb, object_id::text from audit_rows where verb like 'export %' order by verb"
    tenant_id = await value(urls, "select id::text from tenants where is_default")
    assert await ask(urls, noted) == [("export person", ada["id"]), ("export tenant", tenant_id)]


async def test_who_is_not_there_is_not_exported(operate: Operate, tmp_path: Path) -> None:
    refused = operate("export", "person", "nobody@example.org", str(tmp_path / "any.zip"))
    assert (refused.returncode, "Nobody has an account" in refused.stderr) == (1, True)
    nowhere = operate("export", "tenant", "main", str(tmp_path / "there is no folder" / "any.zip"))
    assert (nowhere.returncode, "cannot be written" in nowhere.stderr) == (1, True)
    assert files(tmp_path) == set()


async def test_an_operator_takes_the_log_along(operate: Operate, urls: Urls, tmp_path: Path) -> None:
    told(operate("user", "create", "ada@example.org", "Ada", "--json"))
    done = operate("audit", "export", "log.csv", "--format", "csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 rows are written.\n")
    head, row = (tmp_path / "log.csv").read_text().splitlines()
    assert head.startswith("at,id,actor_kind")
    assert ",user create,done," in row
    assert "is there already" in operate("audit", "export", "log.csv").stderr
    found = [json.loads(line) for line in operate("audit", "export").stdout.splitlines()]
    assert [each["verb"] for each in found] == ["user create", "audit export"]
    assert operate("audit", "export", "--since", "2100-01-01").stdout == ""


async def test_the_people_of_a_file_are_invited_row_by_row_and_members_are_limited(
    operate: Operate, urls: Urls, tmp_path: Path
) -> None:
    operate("user", "create", "ada@example.org", "Ada")
    operate("tenant", "create", "chess-club", "Chess club", "--owner", "ada@example.org")
    (tmp_path / "people.csv").write_text(
        "Email;Role;Language\n"
        "cyd@example.org;moderator;pl\n"
        "ada@example.org;;\n"
        'dee@example.org;"never closed;\n'
        "CYD@example.org;;\n"
        "no address;;\n"
    )
    invite = ("tenant", "invite", "chess-club", "people.csv", "--json")
    dry = operate(*invite, "--dry-run")
    assert (dry.returncode, json.loads(dry.stdout)["invited"]) == (1, 1)
    assert await value(urls, "select count(*) from invitations") == 0
    first, second = (json.loads(operate(*invite).stdout) for _ in range(2))
    assert (first["invited"], first["again"], first["refused"]) == (1, 0, 4)
    assert (second["invited"], second["again"], second["refused"]) == (0, 1, 4)
    assert await value(urls, "select count(*) from facts where kind = 'invitation.made'") == 1
    report = tmp_path / "people.report.csv"
    assert report.stat().st_mode & 0o077 == 0
    assert [line.split(",")[:4] for line in report.read_text().splitlines()[1:]] == [
        ["2", "cyd@example.org", "AGAIN", ""],
        ["3", "ada@example.org", "REFUSED", "ALREADY_MEMBER"],
        ["4", "", "REFUSED", "UNREADABLE"],
        ["5", "cyd@example.org", "REFUSED", "DOUBLE"],
        ["6", "no address", "REFUSED", "INVALID_EMAIL"],
    ]
    nobody = operate(*invite, "--by", "cyd@example.org")
    assert (nobody.returncode, "nobody who may invite here" in nobody.stderr) == (1, True)
    assert told(operate("tenant", "recount", "chess-club", "--json")) == {"events": 0}
    limited = told(operate("tenant", "limit", "chess-club", "1", "--json"))
    assert (limited["members"], limited["maxMembers"]) == (1, 1)
    full = operate("user", "create", "dee@example.org", "Dee", "--tenant", "chess-club")
    assert (full.returncode, "as many members as it may" in full.stderr) == (1, True)
    assert await value(urls, "select count(*) from users") == 1
