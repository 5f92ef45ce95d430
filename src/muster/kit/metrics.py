"""What is measured: every metric of Muster with its meaning. Each process counts its own, and Prometheus adds them up.

Labels are bounded: routes, handlers and codes are declared, operation names are counted up to a limit. No id, no address
and nothing else of a person is ever a label.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from muster.kit.tally import Tally, Uses

OTHER = "other"
"""The label of whatever has none of its own."""

# When a series began doubles the size of a scrape, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not type it

REGISTRY = CollectorRegistry(auto_describe=True)
"""All that this process has measured."""
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_WORK_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=REGISTRY)


HTTP = Tally(
    ("http_requests_total", "Requests answered, by template of the address; `other` is no address of ours."),
    ("http_request_duration_seconds", "From the head of a request to the last byte of its answer."),
    labels=("method", "route", "status"),
    of_durations=2,
    buckets=_SECONDS,
)
_OPERATIONS = (
    "Queries and mutations that ran, by the name in their document: `anonymous` without one, `other` past 200 names. "
    "`outcome` is `done`, also when a mutation failed (see `graphql_errors_total`), or `refused`."
)
GRAPHQL = Tally(
    ("graphql_operations_total", _OPERATIONS),
    ("graphql_operation_duration_seconds", "What a query or mutation took, without reading its request."),
    labels=("operation", "kind", "outcome"),
    of_durations=1,
    buckets=_SECONDS,
)
GRAPHQL_FIELDS = Uses(
    "graphql_fields_total", "Operations that used a field of the schema, such as `Event.title`.", "field"
)
REGISTRY.register(HTTP)
REGISTRY.register(GRAPHQL)
REGISTRY.register(GRAPHQL_FIELDS)
DEPRECATED_USES = _counter(
    "deprecated_uses_total",
    "Uses of what is deprecated: `what` is a field or a route, `operation` the name in the document, `rest` over REST; "
    "`client` as it names itself, `other` past 200 names.",
    "what",
    "operation",
    "client",
)
GRAPHQL_ERRORS = _counter("graphql_errors_total", "Errors told in GraphQL's form, by their code.", "code")
FAULTS = _counter("faults_total", "Failures of ours: requests answered 500, each logged with its trace.")
RATE_LIMIT_REFUSALS = _counter(
    "rate_limit_refusals_total", "Requests refused since there were too many, by the code of the refusal.", "code"
)
LIMITS_WITHOUT_STORE = _counter(
    "rate_limit_without_store_total",
    "Requests whose rate could not be counted in the store: `counted_here` by this process alone, or `refused`.",
    "outcome",
)
POOL_CONNECTIONS = _gauge(
    "db_pool_connections", "Connections of the pool: `in_use`, `idle`, and how many there may be, `most`.", "state"
)
POOL_WAITING = _gauge("db_pool_waiting", "Who waits for a connection at this moment.")
POOL_WAIT_SECONDS = Histogram(
    "db_pool_wait_seconds",
    "How long those waited for a connection who found none at hand.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
SLOW_QUERIES = _counter(
    "db_slow_queries_total", "Statements that took as long as `DATABASE_SLOW_QUERY_MS` says; each is in the log."
)
TRIP_READS = Histogram(
    "db_trip_reads", "How many reads went to the database together.", buckets=(1, 2, 4, 8, 16), registry=REGISTRY
)
TRIPS_FAILED = _counter(
    "db_trips_failed_total", "Trips that came to nothing; each of their reads went again by itself."
)
TRIPS_LATE = _counter("db_trips_late_total", "Trips that took so long that they gave up their lane.")
REPLICA_LAG = _gauge(
    "db_replica_lag_seconds",
    "How far a replica is behind at most, by its number in `DATABASE_REPLICA_URL`; `+Inf` while it does not answer.",
    "replica",
)
REPLICA_READS = _counter(
    "db_replica_reads_total",
    "Reads that a replica may answer. `by` is `replica`, `primary` where none was fresh enough, or `failed` where it went "
    "to the primary after all.",
    "by",
)
FACTS_SEQUENCED = _counter("facts_sequenced_total", "Facts that got their position.")
FACTS_WAITING = _gauge("facts_waiting", "Facts in the outbox, which the sequencer has not seen yet.")
FACTS_LAG = _gauge("facts_lag_seconds", "For how long the oldest of them has waited.")
JOBS = _gauge("jobs_kept", "Jobs in the queue of a handler, by state.", "queue", "state")
JOBS_DONE = _counter(
    "jobs_attempts_total",
    "Attempts of jobs. `outcome` is `done`, `put_off`, `retried` after a failure, or `failed` for good.",
    "queue",
    "outcome",
)
JOB_SECONDS = Histogram(
    "jobs_duration_seconds", "What an attempt took.", ("queue",), buckets=_WORK_SECONDS, registry=REGISTRY
)
SOCKETS = _gauge("realtime_connections", "Sockets and event streams that are open.")
STREAMS = _gauge("realtime_streams", "Subscriptions that are followed.")
DELIVERIES = _counter(
    "realtime_deliveries_total",
    "Elements for streams. `outcome` is `delivered`, `unseen` where the viewer may not see it, or `ended` for a refusal.",
    "outcome",
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_NAMES = 200
_LONGEST_NAME = 64
_names: set[str] = set()
_clients: set[str] = set()


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request. route: the template of its address."""
    HTTP.count((method if method in _METHODS else OTHER, route, str(status)), seconds)


def count_operation(name: str | None, kind: str, outcome: str, seconds: float) -> None:
    """Count one operation. name: as its document has it, which a client may choose."""
    GRAPHQL.count((operation_label(name), kind, outcome), seconds)


def operation_label(name: str | None) -> str:
    """The label of an operation: whoever sends many names does not make as many series."""
    return "anonymous" if name is None else _bounded(name, _names)


def count_deprecated(whats: Iterable[str], operation: str, client: str | None) -> None:
    """Count one use of some things that are deprecated. client: as it names itself."""
    told = "unnamed" if not client else _bounded(client, _clients)
    for what in whats:
        DEPRECATED_USES.labels(what, operation, told).inc()


def _bounded(name: str, known: set[str]) -> str:
    if name not in known:
        if len(known) >= _MOST_NAMES or len(name) > _LONGEST_NAME:
            return OTHER
        known.add(name)
    return name
