"""What is measured: who is told, in which form, and that nothing a client chooses makes series without end."""

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster.kit import metrics
from muster.kit.db.migrate import Urls
from muster.kit.processes import CannotRun
from muster.kit.sources import SettingError
from muster.kit.work.handlers import followers
from muster.kit.work.stats import report_work
from muster.testing.serving import Service, serving, serving_in_process, settings_for
from muster.testing.town import Town
from muster.testing.work import working

OPERATIONS = Path(__file__).resolve().parent.parent / "docs" / "operations"
TOKEN = "m" * 32
# Two processes at one address. An API tells of facts, too, though only a worker knows of them.
RULES_TEST = """
rule_files: ["{rules}"]
tests:
  - interval: 1m
    input_series:
      - {{ series: 'db_pool_waiting{{instance="a",process="serve"}}', values: 3x20 }}
      - {{ series: 'db_pool_connections{{instance="a",process="serve",state="idle"}}', values: 0x20 }}
      - {{ series: 'db_pool_waiting{{instance="a",process="serve 2"}}', values: 0x20 }}
      - {{ series: 'db_pool_connections{{instance="a",process="serve 2",state="idle"}}', values: 7x20 }}
      - {{ series: 'facts_waiting{{instance="a",process="serve"}}', values: 0x20 }}
    promql_expr_test:
      - expr: 'count(ALERTS{{alertstate="firing"}}) by (alertname, process)'
        eval_time: 15m
        exp_samples:
          - {{ labels: '{{alertname="MusterPoolIsFull",process="serve"}}', value: 1 }}
          - {{ labels: '{{alertname="MusterNoWorker"}}', value: 1 }}
"""
PROMISED = {
    "http_requests_total",
    "http_request_duration_seconds",
    "graphql_operations_total",
    "graphql_operation_duration_seconds",
    "graphql_errors_total",
    "db_pool_connections",
    "jobs_attempts_total",
    "facts_sequenced_total",
    "realtime_connections",
    "realtime_deliveries_total",
    "rate_limit_refusals_total",
}


def _values() -> dict[tuple[str, ...], float]:
    """Every sample of this process, by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
    }


async def _told(service: Service, address: str, **headers: str) -> tuple[int, str, str]:
    answer = await service.http.get(address, headers=headers)
    return answer.status_code, answer.headers["content-type"], answer.text


async def _complaints(text: str) -> bytes:
    """What promtool has to say against an exposition; nothing where it is not installed."""
    if shutil.which("promtool") is None:
        return b""
    arguments = ["promtool", "check", "metrics"]
    checked = await asyncio.to_thread(subprocess.run, arguments, input=text.encode(), capture_output=True, check=False)
    return checked.stdout + checked.stderr + (b"" if checked.returncode == 0 else b"failed")


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for the name of a socket."""
    with tempfile.TemporaryDirectory(prefix="m-") as folder:
        yield Path(folder)


async def test_nobody_is_told_by_accident(urls: Urls) -> None:
    async with serving_in_process(urls) as service:
        assert (await _told(service, "/metrics"))[0] == 404
    async with serving_in_process(urls, MUSTER_METRICS_TOKEN=TOKEN) as service:
        for given in ({}, {"authorization": f"Bearer {TOKEN}x"}, {"authorization": f"Basic {TOKEN}"}):
            status, _, text = await _told(service, "/metrics", **given)
            assert (status, "http_requests" in text) == (401, False)
        plain = await _told(service, "/metrics", authorization=f"Bearer {TOKEN}")
        wanted = {"authorization": f"Bearer {TOKEN}", "accept": "application/openmetrics-text;version=1.0.0"}
        open_metrics = await _told(service, "/metrics", **wanted)
        strange = await _told(service, "/metrics", **wanted | {"accept": "text/plain;version=x;escaping=,;;=;"})
    assert plain[0] == open_metrics[0] == strange[0] == 200
    assert plain[1].startswith("text/plain")
    assert open_metrics[1].startswith("application/openmetrics-text")
    assert open_metrics[2].endswith("# EOF\n")
    assert {word for line in plain[2].splitlines() if line.startswith("# TYPE") for word in line.split()} >= PROMISED


async def test_each_process_tells_on_an_address_of_its_own(urls: Urls, free_port: int) -> None:
    bind = f"127.0.0.1:{free_port}"
    async with serving(urls, MUSTER_METRICS_BIND=bind) as service:
        status, _, text = await _told(service, f"http://{bind}/metrics")
        assert (status, (await _told(service, "/metrics"))[0]) == (200, 404)
        assert 'db_pool_connections{state="most"} 12.0' in text
        with pytest.raises(CannotRun, match=r"MUSTER_METRICS_BIND.*address of its own"):
            async with serving(urls, MUSTER_METRICS_BIND=bind):
                pass
    with pytest.raises(SettingError, match=r"MUSTER_METRICS_BIND.*such as"):
        settings_for(urls, MUSTER_METRICS_BIND="everywhere")


async def test_processes_of_one_house_tell_of_each_other_at_one_address(
    urls: Urls, free_port: int, short_folder: Path
) -> None:
    bind = f"127.0.0.1:{free_port}"
    places = [str(short_folder / name) for name in ("serve", "serve 2")]
    with socket.socket(socket.AF_UNIX) as killed:
        # As a process that was killed leaves it behind.
        killed.bind(str(short_folder / "worker"))
    async with (
        serving(urls, MUSTER_METRICS_BIND=bind, METRICS_SOCKET=places[0]) as service,
        serving_in_process(urls, MUSTER_METRICS_BIND=bind, METRICS_SOCKET=places[1]),
    ):
        status, _, text = await _told(service, f"http://{bind}/metrics")
        _, _, open_metrics = await _told(service, f"http://{bind}/metrics", accept="application/openmetrics-text")
    assert status == 200
    for name in ("serve", "serve 2"):
        assert f'db_pool_connections{{process="{name}",state="most"}} 12.0' in text
        assert f'process_resident_memory_bytes{{process="{name}"}}' in text
    assert 'process="worker"' not in text
    assert text.count("# TYPE http_requests_total counter") == 1
    assert open_metrics.endswith("# EOF\n")
    assert not await _complaints(text)
    assert _names(short_folder) == {"worker"}


async def test_what_happens_is_counted_under_bounded_names(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests before this one may have used up the names that this process counts apart.
    monkeypatch.setattr(metrics, "_names", set())
    before = _values()

    def more(*key: str) -> float:
        return _values().get(key, 0) - before.get(key, 0)

    http = town.service.http
    for number in range(3):
        assert (await http.get(f"/api/v1/events/{town.event_id}")).status_code == 200
        assert (await http.get(f"/nowhere/{number}")).status_code == 404
    await http.put(f"/api/v1/events/{town.event_id}")
    await http.options(f"/api/v1/events/{town.event_id}")
    await http.head("/health/live")
    await http.post("/graphql", json={"query": "query Seen { __typename }"})
    await http.post("/graphql", json={"query": "query Wrong { nothing }"})
    assert more("http_requests_total", "GET", "/api/v1/events/{id}", "200") == 3
    assert more("http_requests_total", "GET", "other", "404") == 3
    assert more("http_requests_total", "PUT", "/api/v1/events/{id}", "405") == 1
    assert more("http_requests_total", "OPTIONS", "/api/v1/events/{id}", "204") == 1
    assert more("http_requests_total", "HEAD", "/health/live", "200") == 1
    assert more("graphql_operations_total", "Seen", "query", "done") == 1
    assert more("graphql_errors_total", "GRAPHQL_VALIDATION_FAILED") == 1
    assert not [key for key in _values() if str(town.event_id) in key or "Wrong" in key]


async def test_the_worker_counts_facts_and_jobs(town: Town) -> None:
    before = _values()
    async with working(town.service.urls) as work:
        await work.quiet()
        await report_work(work.services.database, sorted(followers()))
    after = _values()
    assert after["facts_sequenced_total",] > before["facts_sequenced_total",]
    assert after["facts_waiting",] == after["facts_lag_seconds",] == 0
    done = {key: value for key, value in after.items() if key[0] == "jobs_attempts_total" and key[2] == "done"}
    assert sum(done.values()) > sum(before.get(key, 0) for key in done)
    assert {key[1] for key in after if key[0] == "jobs_kept"} >= followers().keys()


def test_many_operation_names_are_one() -> None:
    labels = {metrics.operation_label(f"Name{number}") for number in range(1000)}
    assert len(labels) <= 201
    assert metrics.OTHER in labels
    assert metrics.operation_label("L" * 100) == metrics.OTHER


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: Debian has it in prometheus")
async def test_prometheus_finds_nothing_to_say_against_it(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_METRICS_TOKEN=TOKEN) as service:
        _, _, text = await _told(service, "/metrics", authorization=f"Bearer {TOKEN}")
    assert not await _complaints(text)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: Debian has it in prometheus")
def test_prometheus_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(OPERATIONS / "alerts.yml")], check=True)


@pytest.mark.parametrize("name", ["alerts.yml", "dashboard.json"])
def test_rules_and_dashboard_ask_for_what_is_measured(name: str) -> None:
    families = "http|graphql|db|facts|jobs|realtime|rate_limit|faults|deprecated"
    asked = set(re.findall(rf"\b(?:{families})_[a-z_]+(?=[\[{{)\s\"])", (OPERATIONS / name).read_text()))
    told = {family.name for family in metrics.REGISTRY.collect()}
    assert len(asked) > 5
    assert {re.sub("_(total|bucket|sum|count)$", "", each) for each in asked} <= told


def test_the_dashboard_shows_everything_that_is_measured() -> None:
    told = {family.name for family in metrics.REGISTRY.collect() if not family.name.startswith(("process_", "python_"))}
    shown = (OPERATIONS / "dashboard.json").read_text()
    assert not [name for name in told if not re.search(rf"\b{name}(_total|_bucket|_sum)?\b", shown)]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: Debian has it in prometheus")
def test_rules_tell_a_full_pool_and_a_missing_worker_among_several_processes(tmp_path: Path) -> None:
    (tmp_path / "test.yml").write_text(RULES_TEST.format(rules=OPERATIONS / "alerts.yml"))
    run = subprocess.run(["promtool", "test", "rules", str(tmp_path / "test.yml")], capture_output=True, check=False)
    assert run.returncode == 0, run.stdout.decode() + run.stderr.decode()
