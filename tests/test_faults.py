"""Faults: Sentry is told of what the log tells as an error, of nothing else of a request, and of nobody's data."""

import gzip
import http.client
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import structlog

from muster.kit import log
from muster.kit.db.migrate import Urls
from muster.kit.faults import faults_told
from muster.kit.sources import SettingError
from muster.settings import Settings
from muster.testing.collector import Collector, collecting
from muster.testing.people import sign_in
from muster.testing.serving import serving

NAME, MAIL, PASSWORD = "Nora Ashdown", "nora@ashdown.example", "correct horse battery 42"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Somebody who takes envelopes. The log goes the way of production meanwhile, since what it tells is told on."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with collecting() as found:
        log.configure("info", json=True, stream=io.StringIO())
        yield found
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def _dsn(collector: Collector) -> str:
    return collector.url.replace("http://", "http://public@") + "/7"


def _events(collector: Collector) -> list[dict[str, Any]]:
    events = []
    for path, body in collector.taken:
        assert path == "/api/7/envelope/"
        lines = (gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body).splitlines()
        events += [json.loads(lines[2])]
    return events


async def test_a_fault_of_a_request_is_told_with_its_ids_and_nothing_else_of_it(
    urls: Urls, collector: Collector
) -> None:
    async with serving(urls, SENTRY_DSN=_dsn(collector)) as service:
        somebody = await sign_in(service, NAME)
        with psycopg.connect(urls.owner, autocommit=True) as connection:
            connection.execute("alter table events rename to gatherings")
        answer = await service.http.get(
            f"/api/v1/events/{somebody.user_id}?include=owner",
            headers={"authorization": f"Bearer {somebody.client.token}", "cookie": "a=b", "user-agent": MAIL},
        )
        refused = await service.http.post("/api/v1/auth/login", json={"email": MAIL, "password": PASSWORD})
        assert (answer.status_code, refused.status_code) == (500, 401)
    (event,) = _events(collector)
    assert event["tags"] == {
        "process": "api",
        "route": "GET /api/v1/events/{id}",
        "request_id": answer.headers["x-request-id"],
        "tenant_id": event["tags"]["tenant_id"],
    }
    assert (event["user"], event["transaction"]) == ({"id": str(somebody.user_id)}, "GET /api/v1/events/{id}")
    assert (event["environment"], event["release"][:7], event["level"]) == ("test", "muster@", "error")
    raised = event["exception"]["values"][-1]
    assert (raised["type"], "events" in raised["value"]) == ("UndefinedTableError", True)
    assert not [frame for frame in raised["stacktrace"]["frames"] if "vars" in frame]
    assert not {"request", "breadcrumbs", "modules", "extra"} & {name for name, held in event.items() if held}
    whole = json.dumps(event)
    assert not [each for each in (NAME, MAIL, PASSWORD, somebody.client.token) if str(each) in whole]


async def test_what_is_masked_in_the_log_is_masked_there(collector: Collector) -> None:
    async with faults_told(_dsn(collector), environment="test", process="worker"):
        try:
            raise ValueError(f"Key (email)=({MAIL}) already exists")
        except ValueError:
            structlog.get_logger("muster").exception(f"failed for {MAIL}", handler="a.b", password=PASSWORD)
        structlog.get_logger("muster").warning("handler.retried", exc_info=True)
        logging.getLogger("asyncio").error("Task exception was never retrieved")
        logging.getLogger("opentelemetry.exporter").error("the collector is away")
    structlog.get_logger("muster").error("nobody listens any more")
    first, second = _events(collector)
    assert first["exception"]["values"][-1]["value"] == f"Key (email)=({log.REDACTED}"
    assert (first["message"], first["tags"]["handler"]) == (f"failed for {log.REDACTED}", "a.b")
    assert (second["message"], second["logger"]) == ("Task exception was never retrieved", "asyncio")
    assert PASSWORD not in json.dumps([first, second])


async def test_a_process_that_ends_by_an_error_tells_it(collector: Collector) -> None:
    with pytest.raises(ZeroDivisionError):
        async with faults_told(_dsn(collector), environment="test", process="worker"):
            _ = 1 // 0
    (event,) = _events(collector)
    assert (event["message"], event["tags"]) == ("process.crashed", {"process": "worker"})


async def test_nothing_is_patched_for_it(collector: Collector) -> None:
    def ours() -> list[object]:
        return [
            sys.excepthook,
            threading.Thread.start,
            threading.Thread.run,
            logging.Logger.callHandlers,
            http.client.HTTPConnection.putrequest,
            subprocess.Popen.__init__,
        ]

    before = ours()
    async with faults_told(_dsn(collector), environment="test", process="api"):
        assert ours() == before
    assert not collector.taken


@pytest.mark.parametrize("value", ["sentry.example.org/1", "https://sentry.example.org/1", "https://key@host/project"])
def test_an_address_that_cannot_be_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(SettingError, match="SENTRY_DSN must look like"):
        Settings.load({"SENTRY_DSN": value})
    assert "hush" not in repr(Settings.load({"SENTRY_DSN": "https://hush@sentry.example.org/1"}))
