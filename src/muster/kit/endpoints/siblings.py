"""Siblings: the processes of one `muster up` tell each other what they have measured, so that one address tells all of it.

Each listens on a socket file of its own, in a folder that only their user may enter. Whoever is asked asks the others, and
marks what each says with its name. One that is away is left out, and begins at nought when it is back, as any process does:
its series is its own, so nobody else's goes down with it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

log = structlog.get_logger()

# A sibling that has more to do than to tell is left out; Prometheus itself waits 10 s.
_PATIENCE_SECONDS = 2.0


class _Sample(msgspec.Struct, frozen=True, array_like=True):
    name: str
    labels: dict[str, str]
    value: float


class _Family(msgspec.Struct, frozen=True, array_like=True):
    name: str
    meaning: str
    kind: str
    samples: list[_Sample]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Family]).decode


@dataclass(frozen=True)
class Siblings:
    """The processes beside this one. own: the socket file of this one, `<folder>/<name>`."""

    own: Path

    @asynccontextmanager
    async def hearing(self, registry: Collector, look: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Tell siblings meanwhile. look: brings gauges up to date."""

        async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await look()
                writer.write(_encode(_families(registry)))
                await writer.drain()
            except OSError as error:
                log.debug("siblings.not_told", error=repr(error))
            finally:
                writer.close()

        # Left behind by the one before, which was killed.
        self.own.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(tell, self.own)
        try:
            async with server:
                yield
        finally:
            self.own.unlink(missing_ok=True)

    async def together(self, registry: Collector) -> Collector:
        """What this process and its siblings have measured. registry: of this one."""
        names = sorted(each.name for each in _others(self.own))
        told = await asyncio.gather(*(self._ask(name) for name in names))
        return _Together({self.own.name: _families(registry), **dict(zip(names, told, strict=True))})

    async def _ask(self, name: str) -> list[_Family]:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self.own.with_name(name))
                try:
                    return _decode(await reader.read())
                finally:
                    writer.close()
        except (OSError, TimeoutError, msgspec.DecodeError) as error:
            log.info("siblings.left_out", process=name, error=repr(error))
            return []


def _others(own: Path) -> Iterable[Path]:
    return (each for each in own.parent.iterdir() if each.is_socket() and each != own)


def _families(registry: Collector) -> list[_Family]:
    return [
        _Family(
            family.name,
            family.documentation,
            family.type,
            [_Sample(sample.name, sample.labels, sample.value) for sample in family.samples],
        )
        for family in registry.collect()
    ]


@dataclass(frozen=True)
class _Together(Collector):
    """All of them by the names of their processes."""

    told: dict[str, list[_Family]]

    def collect(self) -> Iterator[Metric]:
        """Each family once, with everybody's samples, as the format wants it."""
        families: dict[str, Metric] = {}
        for process, theirs in self.told.items():
            for family in theirs:
                whole = families.setdefault(family.name, Metric(family.name, family.meaning, family.kind))
                for sample in family.samples:
                    whole.add_sample(sample.name, {"process": process, **sample.labels}, sample.value)
        yield from families.values()
