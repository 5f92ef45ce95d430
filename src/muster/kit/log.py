"""Logs: one line per event, the same way for our own code, the standard library and uvicorn.

JSON where machines read, colours where a person does. Whatever is bound with
`structlog.contextvars.bind_contextvars` (the `request_id`, above all) is on every line of that request.
"""

import logging
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from muster.kit.tracing.switch import trace_id

SECRET_WORDS = ("password", "passwd", "token", "secret", "authorization", "cookie", "api_key", "apikey")
REDACTED = "[redacted]"
# The rest of a line, also where its end is written as JSON writes it, or ends with the text that it stands in.
_REST = r"(?:[^\n\\\"]|\\[^n]|\"(?=[^,}\n]))+"
# Of what stands in words and traces: mail addresses, signed tokens, API keys, and values that the database and its driver quote.
_PERSONAL = re.compile(
    # These first, since a mail address may stand before the rest of what is quoted.
    rf"(?<=\)=\(){_REST}|(?<=row contains \(){_REST}"
    rf"|(?<=query argument \$\d: ){_REST}|(?<=query argument \$\d\d: ){_REST}"
    r"|[^\s\"'(<=:,/\\]{1,64}@[\w-]+(?:\.[\w-]+)+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|\bmk_live_\w+"
)

# What libraries tell and we tell better: uvicorn of each step of a start, the pool with a trace of each try to connect.
_QUIET = {"uvicorn.error": logging.WARNING, "asyncpg.pool": logging.ERROR}

_lines = structlog.get_logger("muster.requests")
_encode = msgspec.json.Encoder().encode


@dataclass
class _Past:
    """Where lines of requests go past the pipe; None is through it, as everything else. process: on every line."""

    stream: TextIO | None = None
    process: dict[str, str] = field(default_factory=dict)


_past = _Past()

Tell = Callable[[EventDict], None]
"""Takes a line that is an error, without the secrets that it held."""


@dataclass
class _Errors:
    """Who else is told of errors; None is nobody."""

    tell: Tell | None = None


_errors = _Errors()


def on_error(tell: Tell | None) -> None:
    """Have somebody told of every line that is an error, from any thread; None ends it."""
    _errors.tell = tell


def configure(
    level: str = "info", *, json: bool | None = None, stream: TextIO | None = None, process: str | None = None
) -> None:
    """Send all logs of this process through one pipe.

    Args:
        level: the least important level to write, such as `info`.
        json: one JSON object per line; None means whenever the stream is not a terminal.
        stream: where lines go; None means standard error.
        process: the name that this one has among others, for every line; None is a process by itself.
    """
    stream = stream or sys.stderr
    as_json = not stream.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_where,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        _drop_colour_twin,
        _tell_errors,
    ]
    rendering: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        rendering += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        # The rich formatter shows local variables, and among those are passwords.
        plain = structlog.dev.plain_traceback
        rendering += [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    rendering += [_forget_persons]
    _past.process = {} if process is None else {"process": process}
    _past.stream = stream if as_json and level in ("debug", "info") else None
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=rendering, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    _take_over_libraries()
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


def _take_over_libraries() -> None:
    """Have libraries with ways of their own take the pipe, and say no more than is of use."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def request_done(method: str, route: str, status: int, seconds: float) -> None:
    """Write the line of a request, with the ids that are bound.

    In JSON past the pipe, which takes 74 us for a line: nothing in this one could be secret. route: the template, since
    an address may hold what is.
    """
    told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
    stream = _past.stream
    if stream is None:
        _lines.info("request.done", **told)
        return
    who = structlog.contextvars.get_contextvars()
    frame = {"event": "request.done", "level": "info", "logger": "muster.requests", "timestamp": datetime.now(UTC)}
    # Whoever reads the log may be gone; that fails no request.
    with suppress(OSError):
        stream.write(_encode(told | who | _past.process | frame).decode() + "\n")
        stream.flush()


def _add_where(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say in which process and trace it was written, where there are several processes, and traces."""
    event.update(_past.process)
    if (here := trace_id()) is not None:
        event["trace_id"] = here
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of keys that sound like a secret, at any depth."""
    return {key: value if key in {"event", "exc_info"} else masked(key, value) for key, value in event.items()}


def _tell_errors(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if _errors.tell is not None and event["level"] in ("error", "critical"):
        _errors.tell(event)
    return event


def _forget_persons(_logger: WrappedLogger, _method: str, line: Any) -> Any:
    """Mask the personal data of a whole line, traces included; ids stay, which name nobody to strangers."""
    return _PERSONAL.sub(REDACTED, line)


def _drop_colour_twin(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Uvicorn sends each message a second time, with terminal colours in it."""
    event.pop("color_message", None)
    return event


def masked(key: str, value: object) -> object:
    """A value under a key, at any depth without secrets and without the personal data that can be told by its form."""
    if any(word in key.lower() for word in SECRET_WORDS):
        return REDACTED
    if isinstance(value, str):
        return _PERSONAL.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {inner: masked(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked("", item) for item in value]
    return value
