"""Exporting: spans leave over OTLP, from a thread of their own, so that nobody waits for whoever collects them."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from muster import __version__
from muster.kit.tracing.settings import Traces
from muster.kit.tracing.switch import TRACING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler

    from muster.kit.tracing.collector import Exporter

# How long a process that stops waits until its last spans are taken; what is not is dropped.
_LAST_SECONDS = 3.0


@asynccontextmanager
async def traced(settings: Traces, process: str) -> AsyncIterator[None]:
    """Trace this process meanwhile, where a setting says where spans go; at the end hand over the last ones.

    process: what it is, such as `api`.
    """
    if settings.endpoint is None:
        yield
        return
    # Here, since only who asks for traces should pay for it: 0.3 s and 14 MB.
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.util.re import parse_env_headers

    from muster.kit.tracing.collector import Exporter
    from muster.kit.tracing.spans import Spans

    exporter = Exporter(
        f"{settings.endpoint}/v1/traces", headers=parse_env_headers(settings.headers or "", liberal=True)
    )
    resource = {"service.name": settings.service or f"muster-{process}", "service.version": __version__}
    provider = TracerProvider(_sampler(settings), Resource.create(resource), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    TRACING.spans = Spans(provider.get_tracer("muster", __version__))
    try:
        yield
    finally:
        TRACING.spans = None
        await asyncio.to_thread(_hand_over, provider, exporter)


def _sampler(settings: Traces) -> "Sampler":
    """What decides which traces are kept, by its name in the standard."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

    word = settings.sampler.removeprefix("parentbased_")
    sampler = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF}.get(word) or TraceIdRatioBased(settings.ratio)
    return ParentBased(sampler) if settings.sampler.startswith("parentbased_") else sampler


def _hand_over(provider: "TracerProvider", exporter: "Exporter") -> None:
    """Export what waits, within bounds: the library would try for half a minute."""
    last = threading.Thread(target=provider.shutdown, daemon=True)
    last.start()
    last.join(_LAST_SECONDS)
    if last.is_alive():
        exporter.shutdown()
