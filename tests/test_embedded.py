"""The embedded PostgreSQL: starts from nothing, survives what kills it, and belongs to one process at a time."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from muster.kit.db.embedded import AlreadyRunning, EmbeddedPostgres
from muster.kit.db.migrate import CannotMigrate, Urls, migrate, provision
from muster.kit.processes import CannotRun

# Starts a server in the directory of its first argument, says the postmaster's process id, and stays.
KEEPER = """
import sys, time
from pathlib import Path
from muster.kit.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def ask(url: str, question: str) -> object:
    """The one value a statement returns."""
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def kill(pid: int | None) -> None:
    assert pid is not None
    process = psutil.Process(pid)
    process.kill()
    # A zombie is dead enough: its parent has yet to notice.
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        continue


def test_it_starts_from_nothing_with_what_was_asked_for(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir / "with a space") as server:
        url = server.superuser_url()
        assert server.alive()
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW jit") == "off"
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SELECT datlocale FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"
        assert ask(url, "SELECT lower('ÄÉ')") == "äé"
    assert not server.alive()


def test_data_is_there_after_a_restart(settled_dir: Path) -> None:
    server = EmbeddedPostgres(settled_dir)
    with server:
        run(server.superuser_url(), "CREATE TABLE kept AS SELECT 7 AS n")
    with server:
        assert ask(server.superuser_url(), "SELECT n FROM kept") == 7


def test_nobody_enters_without_the_password(settled_dir: Path) -> None:
    with EmbeddedPostgres(settled_dir) as server:
        wrong = server.url("postgres", "guess", "postgres")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        kept = settled_dir / "postgres.password"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_second_starter_is_told_who_holds_it(settled_dir: Path) -> None:
    with EmbeddedPostgres(settled_dir) as server:
        with pytest.raises(AlreadyRunning, match=str(os.getpid())) as refused:
            EmbeddedPostgres(settled_dir).start()
        assert refused.value.holder == os.getpid()
        assert ask(server.superuser_url(), "SELECT 1") == 1


def test_it_starts_again_after_the_postmaster_was_killed(settled_dir: Path) -> None:
    with EmbeddedPostgres(settled_dir) as server:
        run(server.superuser_url(), "CREATE TABLE kept AS SELECT 7 AS n")
        first = server.pid
        kill(first)
        server.start()
        assert server.pid != first
        assert ask(server.superuser_url(), "SELECT n FROM kept") == 7


def test_a_server_left_behind_by_a_killed_supervisor_is_taken_over(settled_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(settled_dir)], stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout is not None
        orphan = int(keeper.stdout.readline())
        keeper.send_signal(signal.SIGKILL)
    assert psutil.pid_exists(orphan)
    with EmbeddedPostgres(settled_dir) as server:
        assert server.pid != orphan
        assert ask(server.superuser_url(), "SELECT 1") == 1


def test_a_lock_file_that_names_another_program_is_forgotten(settled_dir: Path) -> None:
    with EmbeddedPostgres(settled_dir) as server:
        cluster = Path(str(ask(server.superuser_url(), "SHOW data_directory")))
        lock = (cluster / "postmaster.pid").read_text()
        kill(server.pid)
    (cluster / "postmaster.pid").write_text(lock.replace(lock.split("\n", 1)[0], str(os.getpid()), 1))
    with EmbeddedPostgres(settled_dir) as server:
        assert server.alive()


def test_a_path_too_long_for_a_socket_gets_a_short_one(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir / ("long" * 25)) as server:
        assert ask(server.superuser_url(), "SELECT 1") == 1


def test_another_major_version_stops_with_the_remedy(data_dir: Path) -> None:
    (data_dir / "pg17").mkdir()
    with pytest.raises(CannotRun, match="restore it with this one"):
        EmbeddedPostgres(data_dir).start()


def test_a_lost_password_stops_with_the_remedy(settled_dir: Path) -> None:
    server = EmbeddedPostgres(settled_dir)
    with server:
        pass
    (settled_dir / "postgres.password").unlink()
    with pytest.raises(CannotRun, match=r"postgres\.password"):
        server.start()
    assert not server.alive()


@pytest.mark.parametrize("statement", ["CREATE TABLE mine()", "CREATE TEMP TABLE mine()", "CREATE SCHEMA mine"])
@pytest.mark.parametrize("role", ["app", "worker"])
def test_who_serves_and_works_may_make_nothing(module_urls: Urls, role: str, statement: str) -> None:
    with (
        psycopg.connect(getattr(module_urls, role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_roles_stand_below_row_security(module_urls: Urls) -> None:
    names = module_urls.roles()
    with psycopg.connect(module_urls.owner) as connection:
        found = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1",
            [[names.owner, names.app, names.worker, names.finder]],
        ).fetchall()
        inherits = connection.execute("SELECT pg_has_role(%s, %s, 'USAGE')", [names.owner, names.finder]).fetchone()
    assert found == [
        (names.app, True, False, False),
        (names.finder, False, False, False),
        (names.owner, True, False, False),
        (names.worker, True, False, False),
    ]
    assert inherits == (False,), "the finder's policies would show its rows to the owner"


def test_the_owner_hands_functions_to_the_finder(urls: Urls) -> None:
    finder = urls.roles().finder
    with psycopg.connect(urls.owner) as connection:
        connection.execute("CREATE FUNCTION finders.one() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
        connection.execute(f"ALTER FUNCTION finders.one() OWNER TO {finder}".encode())
        connection.commit()
    with psycopg.connect(urls.app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT finders.one()")


def test_migrating_again_changes_nothing(urls: Urls) -> None:
    before = ask(urls.owner, "SELECT count(*) FROM pg_class")
    migrate(urls)
    assert ask(urls.owner, "SELECT count(*) FROM pg_class") == before


def test_an_owner_that_may_not_make_roles_says_what_to_run(server: EmbeddedPostgres) -> None:
    urls = provision(server, prefix="bare", database="test_bare")
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        try:
            connection.execute("ALTER ROLE bare_owner NOCREATEROLE")
            with pytest.raises(CannotMigrate, match="run this as an administrator: CREATE ROLE"):
                migrate(urls, "bare")
        finally:
            connection.execute("DROP DATABASE test_bare")
            connection.execute("DROP ROLE bare_owner")


def test_a_superuser_does_not_own_a_database(server: EmbeddedPostgres) -> None:
    boss = server.superuser_url()
    worker, app = (server.url(name, "unused", "postgres") for name in ("some_worker", "some_app"))
    with pytest.raises(CannotMigrate, match="NOSUPERUSER"):
        migrate(Urls(owner=boss, app=app, worker=worker))
