"""The collector of traces, as the log tells of it: once when it takes nothing any more, and once when it does again."""

import logging
from collections.abc import Mapping, Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

log = structlog.get_logger()


class _Said(logging.Filter):
    """Keeps what the library says first, for when it has given up, and out of the log."""

    first = ""

    def filter(self, record: logging.LogRecord) -> bool:
        self.first = self.first or record.getMessage()
        return False


_said = _Said()
logging.getLogger(trace_exporter.__name__).addFilter(_said)


class Exporter(trace_exporter.OTLPSpanExporter):
    """The library's, which would tell of each of its tries."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        super().__init__(endpoint, headers=headers)
        self._takes = True
        self._ended = False
        _said.first = ""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand spans over; from a thread of the library."""
        result = super().export(spans)
        takes = result is SpanExportResult.SUCCESS
        if takes and not self._takes:
            log.info("traces.taken_again")
        elif self._takes and not takes:
            log.warning(
                "traces.not_taken", remedy="Look at OTEL_EXPORTER_OTLP_ENDPOINT and _HEADERS.", said=_said.first
            )
        self._takes = takes
        if takes:
            _said.first = ""
        return result

    def shutdown(self) -> None:
        """Hand over nothing any more; once, though both we and the library ask for it."""
        if not self._ended:
            self._ended = True
            super().shutdown()  # type: ignore[no-untyped-call]  # the library does not type it
