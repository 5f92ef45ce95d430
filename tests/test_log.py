"""Logs: one line per event, request id on it, no secret in it."""

import io
import json
import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from muster.kit import log
from muster.kit.db.migrate import Urls
from muster.testing.serving import serving


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


def test_persons_and_tokens_are_masked_wherever_they_stand(lines: io.StringIO) -> None:
    try:
        raise ValueError("Key (email)=(nora@example.org) already exists")
    except ValueError:
        structlog.get_logger("muster").exception("failed for milo.b+x@mail.example.org", of="eyJhbGci.eyJzdWIi.c2lnbg")
    written = json.loads(lines.getvalue())
    assert "example.org" not in lines.getvalue()
    assert "Key (email)=([redacted]" in written["exception"]
    assert written["of"] == log.REDACTED


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('DETAIL:  Key (name)=(Nora "N" (A) Hush) already exists.', "DETAIL:  Key (name)=([redacted]"),
        ("DETAIL:  Key (mail, name)=(nora@example.org, Nora Hush) is", "DETAIL:  Key (mail, name)=([redacted]"),
        ("DETAIL:  Failing row contains (7, Nora Hush, null).", "DETAIL:  Failing row contains ([redacted]"),
        (
            "invalid input for query argument $12: 'Nora Hush' (expected int)",
            "invalid input for query argument $12: [redacted]",
        ),
    ],
)
def test_values_that_the_database_quotes_are_masked(lines: io.StringIO, as_json: bool, said: str, told: str) -> None:
    log.configure("info", json=as_json, stream=lines)
    try:
        raise ValueError(f"it went wrong\n{said}\nand so on")
    except ValueError:
        structlog.get_logger("muster").exception("failed")
    assert told in lines.getvalue()
    assert "Hush" not in lines.getvalue()
    assert "and so on" in lines.getvalue()


async def test_a_storm_of_sign_ins_leaves_ids_and_nothing_of_persons(lines: io.StringIO, urls: Urls) -> None:
    log.configure("debug", json=True, stream=lines, process="serve 2")
    trace, password = "4bf92f3577b34da6a3ce929d0e0e4736", "correct horse battery 42"
    secrets = [password, "wrong horse battery 43"]
    request_id = ""
    parent = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with serving(urls, LOG_REQUESTS="on") as service:
        for number in range(5):
            mail = f"person{number}@example.org"
            person = {"email": mail, "password": password, "name": f"Person {number}"}
            registered = await service.http.post("/api/v1/auth/register", json=person)
            wrong = await service.http.post("/api/v1/auth/login", json={"email": mail, "password": secrets[1]})
            right = await service.http.post("/api/v1/auth/login", json={"email": mail, "password": password})
            assert (registered.status_code, wrong.status_code, right.status_code) == (202, 401, 200)
            tokens = right.json()
            secrets += [mail, tokens["accessToken"], tokens["refreshToken"]]
            bearer = {"authorization": f"Bearer {tokens['accessToken']}"}
            assert (await service.http.get(f"/nowhere?email={mail}", headers=bearer)).status_code == 404
            mine = await service.http.get("/api/v1/auth/sessions", headers=bearer | parent)
            assert mine.status_code == 200
            request_id = mine.headers["x-request-id"]
    told = lines.getvalue()
    assert not [secret for secret in secrets if secret in told]
    requests = [each for each in map(json.loads, told.splitlines()) if each["event"] == "request.done"]
    assert len(requests) == 25
    last = requests[-1]
    assert (last["route"], last["status"], last["trace_id"]) == ("/api/v1/auth/sessions", 200, trace)
    assert UUID(last["tenant_id"]).version == UUID(last["user_id"]).version == 7
    assert (last["request_id"], last["process"]) == (request_id, "serve 2")
