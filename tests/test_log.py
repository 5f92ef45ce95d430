"""Logs: one line per event, request id on it, no secret in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from muster.kit import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is written while the test runs; the process's logging is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("info", json=True, stream=stream)
    structlog.contextvars.bind_contextvars(request_id="r-1")
    yield stream
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def test_one_json_line_with_the_request_id(lines: io.StringIO) -> None:
    structlog.get_logger("muster").info("joined", event_id=7)
    structlog.get_logger("muster").debug("too small to tell")
    written = json.loads(lines.getvalue())
    assert (written["event"], written["event_id"], written["request_id"]) == ("joined", 7, "r-1")
    assert written["level"] == "info"


def test_the_standard_library_takes_the_same_pipe(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("port %s", 80, extra={"color_message": "port"})
    written = json.loads(lines.getvalue())
    assert (written["event"], written["request_id"], written["logger"]) == ("port 80", "r-1", "uvicorn.error")
    assert "color_message" not in written


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "hush"},
        {"accessToken": "hush"},
        {"headers": {"Authorization": "hush", "Set-Cookie": "hush"}},
        {"clients": [{"client_secret": "hush"}]},
    ],
)
def test_secrets_are_redacted_at_any_depth(lines: io.StringIO, fields: dict[str, object]) -> None:
    structlog.get_logger("muster").info("signed in", **fields)
    assert "hush" not in lines.getvalue()
    assert log.REDACTED in lines.getvalue()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_trace_shows_no_local_variables(lines: io.StringIO, as_json: bool) -> None:
    log.configure("info", json=as_json, stream=lines)
    held = "hush".upper()
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("muster").exception("failed", held_length=len(held))
    assert "ValueError: broken" in lines.getvalue()
    assert "HUSH" not in lines.getvalue()
