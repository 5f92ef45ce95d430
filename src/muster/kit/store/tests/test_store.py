"""The client of the store: what is asked together leaves together, a fault is told at once, and everything comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from muster.kit.processes import CannotRun
from muster.kit.sources import SettingError
from muster.kit.store import store as module
from muster.kit.store.address import StoreAddress
from muster.kit.store.connection import StoreDown, StoreRefused
from muster.kit.store.store import Script, Store, opened_store
from muster.settings import Settings
from muster.testing.certificates import own_certificate, server_tls
from muster.testing.throwaway import ThrowawayStore, throwaway_store

_SECOND = Script("return {redis.call('incr', KEYS[1]), ARGV[1]}")


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayStore]:
    with throwaway_store() as found:
        yield found


@asynccontextmanager
async def _opened(server: ThrowawayStore) -> AsyncIterator[Store]:
    async with opened_store(StoreAddress.of(server.url)) as store:
        assert store is not None
        yield store


async def _until_back(store: Store) -> None:
    async with asyncio.timeout(10):
        while not store.is_there:  # noqa: ASYNC110 - it tells only who listens
            await asyncio.sleep(0.01)


async def test_many_ask_at_once_and_each_gets_its_own_answer(server: ThrowawayStore) -> None:
    async with _opened(server) as store:
        given = await asyncio.gather(*(store.ask("ECHO", f"n{number}") for number in range(1000)))
        assert given == [f"n{number}".encode() for number in range(1000)]
        with pytest.raises(StoreRefused, match="unknown command"):
            await store.ask("NOTHING")
        cancelled = asyncio.ensure_future(store.ask("ECHO", "nobody waits"))
        cancelled.cancel()
        assert await store.ask("ECHO", "still in step") == b"still in step"


async def test_a_script_runs_also_when_the_store_has_forgotten_it(server: ThrowawayStore) -> None:
    async with _opened(server) as store:
        assert await store.run(_SECOND, keys=["count"], arguments=["a"]) == [1, b"a"]
        await store.ask("SCRIPT", "FLUSH")
        assert await store.run(_SECOND, keys=["count"], arguments=["b"]) == [2, b"b"]


async def test_a_store_that_stands_still_or_goes_is_told_at_once_and_found_again(server: ThrowawayStore) -> None:
    heard: list[bytes | None] = []
    arrived = asyncio.Event()

    def hear(payload: bytes | None) -> None:
        heard.append(payload)
        arrived.set()

    async with _opened(server) as store, _opened(server) as other:
        store.listen("news", hear)
        server.freeze(frozen=True)
        late = [store.ask("PING") for _ in range(3)]
        assert [type(each) for each in await asyncio.gather(*late, return_exceptions=True)] == [StoreDown] * 3
        with pytest.raises(StoreDown):
            store.ask("PING")
        server.freeze(frozen=False)
        await _until_back(store)
        await _until_back(other)
        server.stop()
        async with asyncio.timeout(5):
            while store.is_there or other.is_there:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        server.start()
        await _until_back(store)
        await _until_back(other)
        assert set(heard) == {None}
        arrived.clear()
        await other.ask("PUBLISH", "news", "hello")
        async with asyncio.timeout(5):
            await arrived.wait()
        assert heard[-1] == b"hello"


async def test_a_store_that_takes_no_writes_any_more_counts_as_away(server: ThrowawayStore) -> None:
    async with _opened(server) as store, _opened(server) as other:
        await other.ask("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreDown, match="READONLY"):
            await store.run(_SECOND, keys=["count"])
        assert not store.is_there
        await other.ask("REPLICAOF", "NO", "ONE")
        await _until_back(store)
        assert await store.ask("SET", "count", "1") == b"OK"


async def test_a_store_is_reached_over_tls_by_who_it_proves_to_be(
    server: ThrowawayStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = own_certificate(tmp_path / "store.pem")
    path = StoreAddress.of(server.url).path

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(path)
        await asyncio.gather(_pour(reader, outer), _pour(inner, writer))

    password = quote(StoreAddress.of(server.url).password, safe="")
    async with await asyncio.start_server(through, "127.0.0.1", 0, ssl=server_tls(certificate)) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setattr(module, "_START_SECONDS", 0.5)
        with pytest.raises(CannotRun, match="no Valkey or Redis that answers"):
            await opened_store(StoreAddress.of(f"rediss://:{password}@127.0.0.1:{port}")).__aenter__()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with opened_store(StoreAddress.of(f"rediss://:{password}@127.0.0.1:{port}/1")) as store:
            assert store is not None
            assert await store.ask("ECHO", "x" * 100_000) == b"x" * 100_000


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass  # either side may break it off
    finally:
        writer.close()


async def test_who_stops_listening_hears_nothing_more(server: ThrowawayStore) -> None:
    heard: list[bytes | None] = []
    async with _opened(server) as store:
        stop = store.listen("quiet", heard.append)
        assert await store.ask("PUBLISH", "quiet", "one") == 1
        stop()
        assert await store.ask("PUBLISH", "quiet", "two") == 0
        assert heard == [b"one"]


async def test_who_hears_badly_costs_nobody_the_connection(server: ThrowawayStore) -> None:
    heard: list[bytes | None] = []

    def hear_badly(payload: bytes | None) -> None:
        raise RuntimeError(payload)

    async with _opened(server) as store:
        store.listen("loud", hear_badly)
        store.listen("loud", heard.append)
        assert await store.ask("PUBLISH", "loud", "one") == 1
        assert await store.ask("PING") == b"PONG"
        assert heard == [b"one"]


async def test_a_start_without_the_store_says_what_to_do(
    server: ThrowawayStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_START_SECONDS", 0.3)
    with pytest.raises(CannotRun, match=r"REDIS_URL: there is no Valkey or Redis that answers at .*nobody\.sock"):
        await opened_store(StoreAddress.of(f"unix://{tmp_path}/nobody.sock")).__aenter__()
    path = StoreAddress.of(server.url).path
    later = StoreAddress.of(server.url.replace(path, f"{tmp_path}/later.sock"))
    async with opened_store(later, is_needed=False) as store:
        assert store is not None
        with pytest.raises(StoreDown):
            store.ask("PING")
        (tmp_path / "later.sock").symlink_to(path)
        await _until_back(store)
    stranger = server.url.replace("unix://:", "unix://:not-")
    with pytest.raises(CannotRun, match="does not let us in: WRONGPASS"):
        await opened_store(StoreAddress.of(stranger)).__aenter__()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("rediss://me:se%40cret@store.example.org:7000/3", "rediss://me:***@store.example.org:7000/3"),
        ("valkey://:secret@10.0.0.1", "valkey://default:***@10.0.0.1:6379/0"),
        ("unix://:secret@/run/a%20b/redis.sock?db=2", "unix://default:***@/run/a b/redis.sock/2"),
    ],
)
def test_an_address_is_read_and_shown_without_its_secret(url: str, shown: str) -> None:
    settings = Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32, "REDIS_URL": url})
    assert [each.shown for each in settings.origins if each.name == "REDIS_URL"] == [shown]
    assert settings.store is not None
    assert "secret" not in repr(settings)
    assert "cret" not in str(settings.store)
    assert settings.store.password in {"", "se@cret", "secret"}


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://localhost", "redis://", "redis://h/one", "redis://h:99999", "unix://?db=1"]
)
def test_an_address_that_is_none_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(SettingError, match="REDIS_URL must look like redis://"):
        Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32, "REDIS_URL": url})
