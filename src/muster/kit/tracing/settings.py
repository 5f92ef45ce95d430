"""Where traces go and which are kept: the variables of OpenTelemetry that are read here and not by its library."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from muster.kit.sources import Source

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


@dataclass(frozen=True)
class Traces:
    """Where traces go, by the variables of OpenTelemetry.

    Attributes:
        endpoint: who collects them over OTLP; None traces nothing.
        headers: what is sent along, as `name=value,name=value`.
        service: the name that traces carry; None is `muster-api` and `muster-worker`.
        sampler: which traces are kept.
        ratio: of samplers that keep some, from 0 to 1.
    """

    endpoint: str | None
    headers: str | None = field(repr=False)
    service: str | None
    sampler: Sampler
    ratio: float


def read_traces(source: Source) -> Traces:
    """The settings. Other variables of OpenTelemetry, such as those of its limits, its library reads by itself."""
    return Traces(
        endpoint=source.address_or_none("OTEL_EXPORTER_OTLP_ENDPOINT", "who collects traces over OTLP, by HTTP"),
        headers=source.secret(
            "OTEL_EXPORTER_OTLP_HEADERS", None, "what is sent to them along, as name=value,name=value"
        ),
        service=source.text("OTEL_SERVICE_NAME", "", "the name that traces carry; unset muster-api, muster-worker")
        or None,
        sampler=source.choice(
            "OTEL_TRACES_SAMPLER", get_args(Sampler), "parentbased_always_on", "which traces are kept"
        ),
        ratio=source.ratio("OTEL_TRACES_SAMPLER_ARG", 1.0, "of samplers that keep some of the traces, how many"),
    )
