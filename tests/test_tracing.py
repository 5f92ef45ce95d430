"""Traces: one from a request to everything that it sets off, told to a real collector, and nothing personal in it."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.socket import PROTOCOL
from muster.kit.endpoints.tests.sites import Client as Socket
from muster.kit.mail.tests.post_office import post_office
from muster.kit.sources import SettingError
from muster.kit.tracing import exporting
from muster.kit.tracing.collector import Exporter
from muster.kit.tracing.exporting import traced
from muster.kit.tracing.spans import summary
from muster.kit.tracing.switch import TRACING, step
from muster.settings import Settings
from muster.testing.collector import Collector, collecting
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service, serving, settings_for
from muster.testing.town import make_event
from muster.testing.work import working

NAME, MAIL, PASSWORD, WORDS = "Nora Ashdown", "nora@ashdown.example", "correct horse battery 42", "see you at nine"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@dataclass(frozen=True)
class Told:
    """What a collector was told."""

    spans: list[Span]
    raw: bytes

    def of(self, trace: str) -> dict[str, Span]:
        """The spans of one trace by their names."""
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace}


def _told(collector: Collector) -> Told:
    spans = []
    for path, body in collector.taken:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            spans += [span for scope in resource.scope_spans for span in scope.spans]
    return Told(spans, b"".join(body for _, body in collector.taken))


def _attribute(span: Span, name: str) -> str | int:
    (value,) = (each.value for each in span.attributes if each.key == name)
    found: str | int = value.string_value or value.int_value
    return found


def _parent(trace: str, *, sampled: bool = True) -> dict[str, str]:
    return {"traceparent": f"00-{trace}-00f067aa0ba902b7-{'01' if sampled else '00'}"}


async def _register(service: Service, trace: str, *, sampled: bool = True) -> None:
    person = {"email": MAIL, "password": PASSWORD, "name": NAME}
    answer = await service.http.post("/api/v1/auth/register", json=person, headers=_parent(trace, sampled=sampled))
    assert answer.status_code == 202


async def _speak_where_somebody_listens(service: Service, trace: str) -> None:
    owner = await sign_in(service, NAME)
    event_id = await make_event(owner.client, title=WORDS)
    address = service.address.replace("http:", "ws:") + "/graphql"
    async with connect(address, subprotocols=[Subprotocol(PROTOCOL)], proxy=None) as connection:
        socket = Socket(connection)
        await socket.send(type="connection_init", payload={"authorization": f"Bearer {owner.client.token}"})
        assert (await socket.receive())["type"] == "connection_ack"
        await socket.run(
            "1", "subscription ($id: UUID!) { eventMessageAdded(eventId: $id) { cursor } }", id=str(event_id)
        )
        await socket.run("2", "{ __typename }")
        heard: set[str] = set()
        async with asyncio.timeout(10):
            # Until the stream is open nothing is heard of what is said.
            while "1" not in heard:
                await _speak(service, owner, event_id, trace)
                heard |= await _heard(socket)
        assert heard == {"1", "2"}


async def _speak(service: Service, speaker: Person, event_id: UUID, trace: str) -> None:
    said = await service.http.post(
        f"/api/v1/events/{event_id}/messages",
        json={"content": WORDS},
        headers={"authorization": f"Bearer {speaker.client.token}"} | _parent(trace),
    )
    assert said.status_code == 201


async def _heard(socket: Socket) -> set[str]:
    """The operations that said something, until the stream did or nothing came for a while."""
    heard: set[str] = set()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            while "1" not in heard:
                heard.add((await socket.receive())["id"])
    return heard


async def test_one_trace_leads_from_a_request_to_its_mail_and_to_a_socket(urls: Urls, collector: Collector) -> None:
    mailed, spoken, silent = "a" * 32, "b" * 32, "c" * 32
    async with post_office() as post, serving(urls, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service:
        async with working(urls, SMTP_URL=post.url) as work:
            await _register(service, mailed)
            await work.quiet()
            await _speak_where_somebody_listens(service, spoken)
            assert (await service.http.get("/api/v1/events", headers=_parent(silent, sampled=False))).status_code == 200
        assert len(post.taken) == 1
    told = _told(collector)
    steps = told.of(mailed)
    way = [
        "POST /api/v1/auth/register",
        "command register",
        "sequence link.verification_asked",
        "job identity.notices.mail_verification",
        "sequence mail.posted",
        "job kit.mail.delivery.Delivery",
        "mail",
    ]
    assert [steps[name].parent_span_id for name in way[1:]] == [steps[name].span_id for name in way[:-1]]
    assert steps[way[0]].parent_span_id.hex() == "00f067aa0ba902b7"
    assert _attribute(steps[way[0]], "http.response.status_code") == 202
    assert _attribute(steps["job kit.mail.delivery.Delivery"], "muster.fact") == "mail.posted"
    assert {"begin", "insert users", "insert facts outbox audit_rows audit_unsealed", "commit"} <= steps.keys()
    heard = told.of(spoken)
    request, delivery = heard["POST /api/v1/events/{eventId}/messages"], heard["deliver eventMessageAdded"]
    commands = {span.span_id for span in told.spans if span.name == "command sendEventMessage"}
    assert delivery.parent_span_id in commands
    assert request.start_time_unix_nano < delivery.start_time_unix_nano < delivery.end_time_unix_nano
    assert "query anonymous" in {span.name for span in told.spans}
    assert not told.of(silent)
    assert not [secret for secret in (NAME, MAIL, PASSWORD, WORDS) if secret.encode() in told.raw]
    assert TRACING.spans is None


async def test_reads_that_travel_together_find_each_other(urls: Urls, collector: Collector) -> None:
    text = "select $1::int as number from tenants limit 1"
    async with traced(settings_for(urls, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url).traces, "test"):
        database = await Database.open(urls.app, size=4)
        # Until it is known how long a statement takes, each goes alone.
        for _ in range(12):
            await database.row(text, (0,))

        async def ask(number: int) -> None:
            with step(f"request {number}"):
                await database.row(text, (number,))

        await asyncio.gather(*(ask(number) for number in range(40)))
        await database.close()
    told = _told(collector)
    spans = {span.span_id: span for span in told.spans}
    trips = [
        span for span in told.spans if span.name == "select tenants" and _attribute(span, "muster.trip.reads") != 1
    ]
    assert trips
    for trip in trips:
        reads = [spans[trip.parent_span_id], *(spans[link.span_id] for link in trip.links)]
        assert len(reads) == _attribute(trip, "muster.trip.reads")
        assert {read.name for read in reads} == {"read"}
        assert len({read.trace_id for read in reads}) == len(reads)
        assert [link.span_id for read in reads[1:] for link in read.links] == [trip.span_id] * (len(reads) - 1)


async def test_commands_that_share_a_transaction_find_each_other(urls: Urls, collector: Collector) -> None:
    async with serving(urls, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service:
        people = [await sign_in(service, f"Guest {number}") for number in range(12)]
        event_id = await make_event(people[0].client)
        joined = await asyncio.gather(*(each.client.call("joinEvent", eventId=event_id) for each in people[1:]))
        assert [each.code for each in joined] == [None] * 11
        with psycopg.connect(urls.owner, autocommit=True) as connection:
            connection.execute("set muster.maintenance = 'on'")
            kept = connection.execute("select trace from facts where kind in ('event.joined', 'event.waitlisted')")
            traces = [str(row[0])[3:35] for row in kept]
    told = _told(collector)
    assert len(set(traces)) == len(traces) == 11
    shared = [span for span in told.spans if span.name == "commands joinEvent"]
    requests = {span.span_id: span for span in told.spans if span.kind == Span.SPAN_KIND_SERVER}
    for span in shared:
        others = [requests[link.span_id] for link in span.links]
        assert others
        assert len(others) + 1 == _attribute(span, "muster.requests")
        assert all(link.span_id == span.span_id for other in others for link in other.links)
        assert requests[span.parent_span_id].trace_id == span.trace_id
    assert shared


async def test_failures_show_and_refusals_are_none(urls: Urls, collector: Collector) -> None:
    async with serving(urls, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service:
        refused = await service.http.post("/api/v1/auth/login", json={"email": MAIL, "password": PASSWORD})
        assert refused.status_code == 401
        with psycopg.connect(urls.owner, autocommit=True) as connection:
            connection.execute("alter table users rename to persons")
        failed = await service.http.post("/api/v1/auth/login", json={"email": MAIL, "password": PASSWORD})
        assert failed.status_code == 500
    spans = _told(collector).spans
    states = [(span.name, span.status.code) for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    assert states == [
        ("POST /api/v1/auth/login", Status.STATUS_CODE_UNSET),
        ("POST /api/v1/auth/login", Status.STATUS_CODE_ERROR),
    ]
    kinds = [_attribute(span, "error.type") for span in spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert "42P01" in kinds
    assert not [span for span in spans if span.events], "an error's words may be personal"


async def test_a_collector_that_hangs_holds_up_nobody(
    urls: Urls, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_LAST_SECONDS", 0.1)
    collector.holds.clear()
    async with serving(urls, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_TRACES_SAMPLER="always_on") as service:
        async with asyncio.timeout(20):
            for _ in range(20):
                assert (await service.http.get("/api/v1/events")).status_code == 200
    assert not collector.taken


def test_a_collector_that_refuses_is_told_of_once_and_when_it_takes_again(collector: Collector) -> None:
    exporter = Exporter(f"{collector.url}/v1/traces", {})
    with capture_logs() as lines:
        for collector.status in (200, 401, 401, 200, 200):
            exporter.export([])
    exporter.shutdown()
    exporter.shutdown()
    assert [line["event"] for line in lines] == ["traces.not_taken", "traces.taken_again"]
    assert "401" in lines[0]["said"]


async def test_which_traces_are_kept_is_a_setting(urls: Urls, collector: Collector) -> None:
    chosen = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    async with serving(urls, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **chosen) as service:
        # Who asks from outside cannot have itself traced where the sampler does not heed it.
        assert (await service.http.get("/api/v1/events", headers=_parent("d" * 32))).status_code == 200
    assert not collector.taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.load({name: value})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("begin; select set_config('muster.tenant', 'a', true)", "begin"),
        ("SELECT a FROM events JOIN users ON true WHERE x IN (SELECT y FROM events)", "select events users"),
        ("insert into facts (a) values ($1) on conflict do update set a = 1", "insert facts"),
        ("with next as (select 1 from outbox for update skip locked) delete from outbox o using next", "delete outbox"),
        ("with a as materialized (select 1) select * from a, unnest($1)", "select"),
        ("select * from jsonb_to_recordset($1) as f(id uuid)", "select"),
        ("  ", "statement"),
    ],
)
def test_a_statement_is_told_by_what_it_does_and_to_which_tables(text: str, told: str) -> None:
    assert summary(text) == told
