"""The databases of the tests, for `tests/` and for the tests inside the slices.

One embedded PostgreSQL serves the whole run. It holds a migrated template, and every test that asks for `urls` gets a
clone of its own, dropped afterwards. Code under test commits for real.
"""

import asyncio
import gc
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
import pytest_asyncio
import structlog
from psycopg import sql

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, embedded_urls, grant_connect, migrate, provision
from muster.testing.throwaway import throwaway_folder

if TYPE_CHECKING:
    from muster.testing.isolation import Towns, World
    from muster.testing.serving import Service
    from muster.testing.town import Town

TEMPLATE = "muster_template"
# Tells the workers of pytest-xdist where the run's one server lives.
DATA_DIR = "MUSTER_TEST_SERVER"

server_key = pytest.StashKey[EmbeddedPostgres]()
numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Write what is logged as plain text, and leave out what is for before a release alone.

    A traceback in colours, with every local in it, takes longer than most tests.
    """
    from muster.testing.thoroughness import THOROUGH

    if not THOROUGH and not config.option.markexpr:
        config.option.markexpr = "not thorough"
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure([structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, plain])


def pytest_report_header() -> str:
    """Whose turn it is, for who has to repeat this run on another day."""
    from muster.testing.thoroughness import TURN

    return f"cases in turns: MUSTER_TURN={TURN}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are collected: there is hardly any, and a fifth of the time would go into that.

    What is there afterwards stays until the end, so nobody looks through it again.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server for the workers of pytest-xdist; without it the first test that needs one does."""
    if session.config.getoption("numprocesses", None):
        server = _start()
        session.config.stash[server_key] = server
        os.environ[DATA_DIR] = str(server.data_dir)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server when the last worker is gone."""
    server = config.stash.get(server_key, None)
    if server is not None:
        del os.environ[DATA_DIR]
        _discard(server)


def _start() -> EmbeddedPostgres:
    """A server with the migrated template."""
    server = EmbeddedPostgres(throwaway_folder("muster-test-"), durable=False)
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
    path = throwaway_folder("muster-data-")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def _settled() -> Iterator[Path]:
    """A data directory whose durable server was made, migrated and stopped."""
    path = throwaway_folder("muster-settled-")
    with EmbeddedPostgres(path) as server:
        migrate(provision(server))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def settled_dir(data_dir: Path, _settled: Path) -> Path:
    """The data directory of a server that ran before: to make and migrate one takes longer than what most tests do with it."""
    settled = data_dir / "data"
    # The files belong to another user where root runs the tests.
    subprocess.run(["cp", "-a", _settled, settled], check=True)
    return settled


@pytest.fixture
def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """The run's PostgreSQL, migrated template included."""
    shared = os.environ.get(DATA_DIR)
    if shared is not None:
        yield EmbeddedPostgres(Path(shared), durable=False)
        return
    own = _start()
    yield own
    _discard(own)


@contextmanager
def _clone(server: EmbeddedPostgres, model: Urls | None = None) -> Iterator[Urls]:
    """A fresh copy of a database that nobody is connected to, dropped at the end; of the template when none is named."""
    database = f"test_{os.getpid()}_{next(numbers)}"
    template = TEMPLATE if model is None else urlsplit(model.app).path.removeprefix("/")
    urls = embedded_urls(server, database=database)
    roles = urls.roles()
    # As files: to copy page by page through the log takes the server two or three times as long.
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(create.format(*map(sql.Identifier, (database, template, roles.owner))))
        try:
            grant_connect(connection, database, roles)
            yield urls
        finally:
            connection.execute(drop.format(sql.Identifier(database)))


@pytest.fixture
def urls(server: EmbeddedPostgres) -> Iterator[Urls]:
    """A fresh database for this test alone."""
    with _clone(server) as urls:
        yield urls


@pytest.fixture(scope="session")
def clone(server: EmbeddedPostgres) -> Callable[..., AbstractContextManager[Urls]]:
    """Makes fresh databases, for tests that need more than one; each is dropped where its `with` ends.

    Called with the address of a model, such as that of `model_town`, it makes copies of that.
    """
    return partial(_clone, server)


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


@pytest.fixture(scope="session")
def model_town(server: EmbeddedPostgres) -> Iterator["Town"]:
    """The town that every other is a copy of: to settle it takes longer than most tests. Nobody serves it any more."""
    from muster.testing.serving import serving_in_process
    from muster.testing.town import settle

    async def settled(urls: Urls) -> "Town":
        async with serving_in_process(urls) as service:
            return await settle(service)

    with _clone(server) as urls:
        yield asyncio.run(settled(urls))


@asynccontextmanager
async def _copy(server: EmbeddedPostgres, model: "Town") -> AsyncIterator["Town"]:
    """A town in a database of its own, served on a socket."""
    from muster.testing.below import change
    from muster.testing.serving import serving
    from muster.testing.town import moved

    with _clone(server, model.service.urls) as urls:
        # The model was settled minutes ago; what may be done about a message, and with a session, depends on how old it is.
        await change(urls, "update messages set created_at = now(); update sessions set proved_at = now()")
        async with serving(urls) as service:
            yield moved(model, service)


@pytest.fixture
async def town(server: EmbeddedPostgres, model_town: "Town") -> AsyncIterator["Town"]:
    """The default community, with people of every standing around one event, for this test alone."""
    async with _copy(server, model_town) as town:
        yield town


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_town(server: EmbeddedPostgres, model_town: "Town") -> AsyncIterator["Town"]:
    """A town that the tests of one module share: they run in its event loop, `pytest.mark.asyncio(loop_scope="module")`."""
    async with _copy(server, model_town) as town:
        yield town


@pytest.fixture(scope="session")
def model_world(server: EmbeddedPostgres) -> Iterator["Towns"]:
    """The two towns that every `world` is a copy of."""
    from muster.testing.isolation import settle_both
    from muster.testing.serving import serving_in_process

    async def settled(urls: Urls) -> "Towns":
        async with serving_in_process(urls) as service:
            return await settle_both(service)

    with _clone(server) as urls:
        yield asyncio.run(settled(urls))


@pytest.fixture
async def world(server: EmbeddedPostgres, model_world: "Towns") -> AsyncIterator["World"]:
    """Two towns on one database, one of which tries to reach the other."""
    from muster.testing.isolation import open_world

    with _clone(server, model_world.urls) as urls:
        async with open_world(urls, model_world) as world:
            yield world
