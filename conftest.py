"""The databases of the tests, for `tests/` and for the tests inside the slices.

One embedded PostgreSQL serves the whole run. It holds a migrated template, and every test that asks for `urls` gets a
clone of its own, dropped afterwards. Code under test commits for real.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, embedded_urls, grant_entry, migrate, provision

if TYPE_CHECKING:
    from muster.testing.serving import Service
    from muster.testing.town import Town

TEMPLATE = "muster_template"
# Tells the workers of pytest-xdist where the run's one server lives.
DATA_DIR = "MUSTER_TEST_SERVER"

server_key = pytest.StashKey[EmbeddedPostgres]()
numbers = count(1)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server for the workers of pytest-xdist; without it the first test that needs one does."""
    if session.config.getoption("numprocesses", None):
        server = _start(Path(tempfile.mkdtemp(prefix="muster-test-")))
        session.config.stash[server_key] = server
        os.environ[DATA_DIR] = str(server.data_dir)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server when the last worker is gone."""
    server = config.stash.get(server_key, None)
    if server is not None:
        del os.environ[DATA_DIR]
        _discard(server)


def _start(data_dir: Path) -> EmbeddedPostgres:
    """A server with the migrated template."""
    server = EmbeddedPostgres(data_dir, durable=False)
    try:
        server.start()
        migrate(provision(server, database=TEMPLATE))
    except BaseException:
        _discard(server)
        raise
    return server


def _discard(server: EmbeddedPostgres) -> None:
    server.stop()
    shutil.rmtree(server.data_dir)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty directory for a server of the test's own; pytest's are closed to the user that root's server runs as."""
    path = Path(tempfile.mkdtemp(prefix="muster-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """The run's PostgreSQL, migrated template included."""
    shared = os.environ.get(DATA_DIR)
    if shared is not None:
        yield EmbeddedPostgres(Path(shared), durable=False)
        return
    own = _start(Path(tempfile.mkdtemp(prefix="muster-test-")))
    yield own
    _discard(own)


@contextmanager
def _clone(server: EmbeddedPostgres) -> Iterator[Urls]:
    """A fresh copy of the template, dropped at the end."""
    database = f"test_{os.getpid()}_{next(numbers)}"
    urls = embedded_urls(server, database=database)
    roles = urls.roles()
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(create.format(*map(sql.Identifier, (database, TEMPLATE, roles.owner))))
        try:
            grant_entry(urls, roles)
            yield urls
        finally:
            connection.execute(drop.format(sql.Identifier(database)))


@pytest.fixture
def urls(server: EmbeddedPostgres) -> Iterator[Urls]:
    """A fresh database for this test alone."""
    with _clone(server) as urls:
        yield urls


@pytest.fixture
def clone(server: EmbeddedPostgres) -> Callable[[], AbstractContextManager[Urls]]:
    """Makes fresh databases, for tests that need more than one; each is dropped where its `with` ends."""
    return lambda: _clone(server)


@pytest.fixture(scope="module")
def module_urls(server: EmbeddedPostgres) -> Iterator[Urls]:
    """A fresh database that the tests of one module share."""
    with _clone(server) as urls:
        yield urls


# The application is imported by the tests that ask for it: tests of the kit declare tables and endpoints of their own.


@pytest.fixture
async def service(urls: Urls) -> AsyncIterator["Service"]:
    """The application on a fresh database, on a socket."""
    from muster.testing.serving import serving

    async with serving(urls) as service:
        yield service


@pytest.fixture
async def town(service: "Service") -> "Town":
    """The default community, with people of every standing around one event."""
    from muster.testing.town import settle

    return await settle(service)
