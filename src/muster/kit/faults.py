"""Faults: what the log tells as an error is told to Sentry too, where a setting says where that is.

The log is the one way there, so what is told has its ids, and nothing that it masks. Of the request only what is named
here goes along. The library is used as a client alone: it patches nothing, and measures nothing.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from structlog.typing import EventDict

from muster import __version__
from muster.kit import log
from muster.kit.processes import CannotRun

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event, Hint

_TAGS = ("process", "route", "request_id", "trace_id", "tenant_id", "handler", "fact_id", "attempt", "entry", "loop")
# Whoever carries what we tell would tell us of its own troubles, without end.
_CARRIERS = ("sentry_sdk", "opentelemetry", "urllib3")
_LAST_SECONDS = 3.0


@asynccontextmanager
async def faults_told(dsn: str | None, *, environment: str, process: str) -> AsyncIterator[None]:
    """Tell Sentry of faults meanwhile; nothing happens without an address.

    dsn: the address, as Sentry shows it. process: what this one is, such as `api`.
    """
    if dsn is None:
        yield
        return
    from sentry_sdk import Client  # where it is asked for: 0.1 s and 10 MB

    client = Client(
        dsn=dsn,
        release=f"muster@{__version__}",
        environment=environment,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        include_local_variables=False,
        send_client_reports=False,
        enable_backpressure_handling=False,
        max_breadcrumbs=0,
        spotlight=False,
        before_send=_masked,
    )
    teller = _Teller(client, process)
    log.on_error(teller.tell)
    try:
        yield
    except CannotRun:
        raise
    except Exception as error:
        teller.tell({"event": "process.crashed", "exc_info": error})
        raise
    finally:
        log.on_error(None)
        await asyncio.to_thread(client.close, _LAST_SECONDS)


class _Teller:
    def __init__(self, client: "Client", process: str) -> None:
        self._client = client
        self._process = process

    def tell(self, line: EventDict) -> None:
        """Tell of one line of the log."""
        from sentry_sdk.utils import event_from_exception

        if str(line.get("logger", "")).startswith(_CARRIERS):
            return
        event: Event = {"level": "error"}
        error = _error_of(line)
        if error is not None:
            event, _ = event_from_exception(error, self._client.options)
        tags = {"process": self._process} | {name: str(line[name]) for name in _TAGS if name in line}
        event |= {
            "message": str(line.get("event", "")),
            "logger": str(line.get("logger", "muster")),
            "tags": tags,
        }
        if "route" in line:
            event["transaction"] = str(line["route"])
        if "user_id" in line:
            event["user"] = {"id": str(line["user_id"])}
        self._client.capture_event(event)


def _error_of(line: EventDict) -> BaseException | None:
    """What was raised, in each of the ways in which a line may hold it."""
    told: Any = line.get("exc_info")
    if told is True:
        told = sys.exc_info()
    if isinstance(told, tuple):
        told = told[1]
    return told if isinstance(told, BaseException) else None


def _masked(event: "Event", _hint: "Hint") -> "Event":
    masked: Any = log.masked("", event)
    # Which is no mail address, although it looks like one.
    masked["release"] = event["release"]
    told: Event = masked
    return told
