"""Logs: one line per event, the same way for our own code, the standard library and uvicorn.

JSON where machines read, colours where a person does. Whatever is bound with
`structlog.contextvars.bind_contextvars` (the `request_id`, above all) is on every line of that request.
"""

import logging
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_WORDS = ("password", "passwd", "token", "secret", "authorization", "cookie", "api_key", "apikey")
REDACTED = "[redacted]"


def configure(level: str = "info", *, json: bool | None = None, stream: TextIO | None = None) -> None:
    """Send all logs of this process through one pipe.

    Args:
        level: the least important level to write, such as `info`.
        json: one JSON object per line; None means whenever the stream is not a terminal.
        stream: where lines go; None means standard error.
    """
    stream = stream or sys.stderr
    as_json = not stream.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        _drop_colour_twin,
    ]
    rendering: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        rendering += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        # The rich formatter shows local variables, and among those are passwords.
        plain = structlog.dev.plain_traceback
        rendering += [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=rendering, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of keys that sound like a secret, at any depth."""
    return {key: value if key in {"event", "exc_info"} else _clean(key, value) for key, value in event.items()}


def _drop_colour_twin(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Uvicorn sends each message a second time, with terminal colours in it."""
    event.pop("color_message", None)
    return event


def _clean(key: str, value: object) -> object:
    if any(word in key.lower() for word in SECRET_WORDS):
        return REDACTED
    if isinstance(value, Mapping):
        return {inner: _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", item) for item in value]
    return value
