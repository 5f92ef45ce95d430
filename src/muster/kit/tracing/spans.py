"""Spans, by OpenTelemetry: made here and nowhere else. What stands in them is listed in docs/operations/tracing.md."""

import asyncio
import contextvars
import re
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal, TypeVar

import asyncpg
from asyncpg.connection import LoggedQuery
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from muster.kit.errors import AppError
from muster.kit.tracing.switch import PARENT, Attributes

Kind = Literal["internal", "server", "client", "consumer", "producer"]
T = TypeVar("T")

_KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
}
_DATABASE = {"db.system.name": "postgresql"}


class Spans:
    """Makes the spans of one process."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def step(
        self,
        name: str,
        attributes: Attributes | None = None,
        *,
        kind: Kind = "internal",
        calm: tuple[type[BaseException], ...] = (),
        after: str | None = None,
    ) -> Iterator[Span]:
        """A span that is the present one meanwhile.

        after: a `traceparent`, the step that it follows; None is the present one, and one that cannot be read is none.
        calm: as in `muster.kit.tracing.switch.step`. Of what is raised only the type is told: its words may be personal.
        """
        parent = None if after is None else _remote(after)
        span = self._tracer.start_span(name, parent, _KINDS[kind], attributes)
        token = attach(set_span_in_context(span))
        try:
            yield span
        except BaseException as error:
            _blame(span, error, is_failure=not isinstance(error, calm))
            raise
        finally:
            detach(token)
            span.end()

    async def within(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        """What some work comes to, done in a step of its own."""
        with self.step(name):
            return await work

    def carried(self) -> str | None:
        """The present span as a `traceparent`."""
        return _written(get_current_span())

    def leave(self) -> None:
        """Have no present span from here on: for a task that works for many, whoever happened to start it."""
        attach(Context())

    def begin(self, name: str, attributes: Attributes, *, after: str, began: int) -> "Step":
        """A step of an earlier trace, for the caller to end. after: a `traceparent`. began: nanoseconds since 1970."""
        return Step(self._tracer.start_span(name, _remote(after), SpanKind.INTERNAL, attributes, start_time=began))

    def statement(self, ran: LoggedQuery) -> None:
        """Tell of a statement that the present step ran; for connections to call, in the context of who ran it."""
        here = get_current_span()
        # Not whether it records: it may have ended by now.
        if not here.get_span_context().trace_flags.sampled:
            return
        now, name = time.time_ns(), summary(ran.query)
        began = now - int(ran.elapsed * 1e9)
        told = _DATABASE | {"db.query.summary": name}
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=told, start_time=began)
        if ran.exception is not None:
            _blame(span, ran.exception)
        span.end(now)

    def read(self, row: "asyncio.Future[Any]") -> Span | None:
        """A span of the present step that lasts until the row is there, or is not wanted any more."""
        if not get_current_span().get_span_context().trace_flags.sampled:
            return None
        span = self._tracer.start_span("read")
        row.add_done_callback(lambda _: span.end())
        return span

    def trip(self, text: str, seconds: float, reads: Sequence[Span | None]) -> None:
        """Tell of a statement that answered reads of several requests at once."""
        now, name = time.time_ns(), summary(text)
        told: Attributes = _DATABASE | {"db.query.summary": name, "muster.trip.reads": len(reads)}
        asking = [read for read in reads if read is not None]
        span = self._start_shared(name, asking, told, SpanKind.CLIENT, now - int(seconds * 1e9))
        if span is not None:
            span.end(now)

    @contextmanager
    def shared(self, name: str, those: Sequence[contextvars.Context]) -> Iterator[None]:
        """A step of several requests, each in its own context, meanwhile; told as a trip is."""
        told: Attributes = {"muster.requests": len(those)}
        span = self._start_shared(name, [each.run(get_current_span) for each in those], told, SpanKind.INTERNAL)
        # Without one there is no present span at all: it would be that of whoever happened to start this task.
        token = attach(Context() if span is None else set_span_in_context(span, Context()))
        try:
            yield
        finally:
            detach(token)
            if span is not None:
                span.end()

    def _start_shared(
        self, name: str, asking: Sequence[Span], told: Attributes, kind: SpanKind, began: int | None = None
    ) -> Span | None:
        """A span in the trace of the first that is sampled; the others link to it, and it to them. None without any."""
        sampled = [each for each in asking if each.get_span_context().trace_flags.sampled]
        if not sampled:
            return None
        first, *others = sampled
        links = [Link(other.get_span_context()) for other in others]
        span = self._tracer.start_span(name, set_span_in_context(first, Context()), kind, told, links, began)
        for other in others:
            other.add_link(span.get_span_context())
        return span


class Step:
    """A step that is not the present one of anybody, and lasts until it is ended."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.carried = _written(span)

    def end(self) -> None:
        """It is done."""
        self._span.end()


def _written(span: Span) -> str | None:
    """A span as a `traceparent`; None for the one that stands for none."""
    at = span.get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}" if at.is_valid else None


def _remote(after: str) -> Context:
    """The context of a step elsewhere. Whatever else came with it is left behind, since a stranger may have written it."""
    found = PARENT.fullmatch(after)
    if found is None:
        return Context()
    at = SpanContext(
        int(found["trace"], 16),
        int(found["span"], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(found["flags"], 16) & 1),
    )
    return set_span_in_context(NonRecordingSpan(at), Context())


def _blame(span: Span, error: BaseException, *, is_failure: bool = True) -> None:
    """Say what kind of error ended a step. A refusal is no failure."""
    if isinstance(error, AppError):
        told, is_failure = error.code, is_failure and error.status >= 500
    elif isinstance(error, asyncpg.PostgresError):
        told = str(error.sqlstate)
    else:
        told = type(error).__name__
    span.set_attribute("error.type", told)
    if is_failure:
        span.set_status(Status(StatusCode.ERROR))


_FIRST = re.compile(r"\s*([a-z]+)", re.IGNORECASE)
_DOES = re.compile(r"(?<!\bfor )\b(insert|update|delete)\s+(?:into\s+|from\s+|only\s+)?[a-z_.]+", re.IGNORECASE)
_TABLE = re.compile(
    # What stands before a bracket is a function, except after `into`, where columns follow.
    r"\binto\s+([a-z_][a-z0-9_.]*)|\b(?:from|join|update)\s+(?:only\s+)?([a-z_][a-z0-9_.]*)\b(?!\s*\()",
    re.IGNORECASE,
)
_WITH = re.compile(r"\b([a-z_][a-z0-9_]*)\s+as\s+(?:materialized\s+)?\(", re.IGNORECASE)
_NO_TABLES = {"set", "of", "skip", "nowait", "select", "lateral", "only"}
_MOST_TABLES = 8


def summary(text: str) -> str:
    """A statement in a few words, such as `select events event_members`: what it does, and to which tables.

    It is what semantic conventions call `db.query.summary`, and holds nothing but the names of our own tables.
    """
    first = _FIRST.match(text)
    word = "statement" if first is None else first[1].lower()
    # These name a tenant or a channel in their text, so there are many of them.
    return _summary(text) if word in ("select", "insert", "update", "delete", "with") else word


@lru_cache(maxsize=2000)
def _summary(text: str) -> str:
    word = text.split(maxsplit=1)[0].lower()
    if word == "with":
        does = _DOES.search(text)
        word = "select" if does is None else does[1].lower()
    named = {name.lower() for name in _WITH.findall(text)} | _NO_TABLES
    tables = dict.fromkeys((into or other).lower().removeprefix("pgqueuer.") for into, other in _TABLE.findall(text))
    told = [name for name in tables if name not in named and not name.startswith("anon_")]
    return " ".join([word, *told[:_MOST_TABLES]])
