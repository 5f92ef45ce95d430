"""The switch: whoever is traced asks it. Off, that is one look at None, and nothing of OpenTelemetry is imported."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muster.kit.tracing.spans import Kind, Spans

Attributes = Mapping[str, str | int]
"""What is said of a step: names that we declared, ids and numbers. Nothing that a person wrote, no address, no secret."""

# https://www.w3.org/TR/trace-context/#traceparent-header; ids of zeros are none, and no version is ff.
PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)
"""A `traceparent`, whole."""


@dataclass
class Switch:
    """spans: what makes them; None while this process traces nothing."""

    spans: "Spans | None" = None


TRACING = Switch()
"""Of this process. What runs once for every request looks at it; everything else calls the functions below."""

_NOTHING = nullcontext()


def step(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: "Kind" = "internal",
    calm: tuple[type[BaseException], ...] = (),
) -> AbstractContextManager[object]:
    """A step of the present trace meanwhile, or of a new one where there is none.

    name: one of few. kind: as OpenTelemetry has it. calm: what it may raise without having failed.
    """
    spans = TRACING.spans
    return _NOTHING if spans is None else spans.step(name, attributes, kind=kind, calm=calm)


def follow(
    trace: str | None,
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: "Kind" = "consumer",
    calm: tuple[type[BaseException], ...] = (),
) -> AbstractContextManager[object]:
    """As `step`, in the trace of what led here, which may be long ago. trace: as `carried` gave it; None is no trace."""
    spans = TRACING.spans
    if spans is None or trace is None:
        return _NOTHING
    return spans.step(name, attributes, kind=kind, calm=calm, after=trace)


def shared(name: str, those: Sequence[Context]) -> AbstractContextManager[object]:
    """A step that several requests share, each in its own context, meanwhile."""
    spans = TRACING.spans
    return _NOTHING if spans is None else spans.shared(name, those)


def carried() -> str | None:
    """The present step, for whoever follows it elsewhere to name: a `traceparent`. None where nothing is traced."""
    return None if TRACING.spans is None else TRACING.spans.carried()


def trace_id() -> str | None:
    """The id of the present trace, for the log."""
    here = carried()
    return None if here is None else here[3:35]
