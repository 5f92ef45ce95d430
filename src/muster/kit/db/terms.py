"""Which PostgreSQL to use, and how: the settings of the database."""

from dataclasses import dataclass, field

from muster.kit.db.time_limits import PATIENT, TimeLimits, read_time_limits
from muster.kit.sources import SettingError, Source


@dataclass(frozen=True)
class Terms:
    """Which PostgreSQL to use. Without addresses `muster up` runs its own.

    Attributes:
        url: for the API; None asks for the embedded server, and then all are None.
        owner_url: for migrations.
        worker_url: for the worker.
        direct_url: for the API's LISTEN; differs from `url` when that leads to a pooler.
        worker_direct_url: likewise for the worker.
        pooled: whether `url` and `worker_url` lead to a pooler that lends its connections for a transaction.
        replica_urls: of servers that follow it, for reads of the API that may be behind.
        replica_lag: by how many seconds at most.
        pool_size: connections of one process.
        limits: how long the API may take.
        worker_limits: likewise the worker.
        role_prefix: what role names begin with.
    """

    url: str | None = field(repr=False)
    owner_url: str | None = field(repr=False)
    worker_url: str | None = field(repr=False)
    direct_url: str | None = field(repr=False)
    worker_direct_url: str | None = field(repr=False)
    pooled: bool
    replica_urls: tuple[str, ...] = field(repr=False)
    replica_lag: int
    pool_size: int
    limits: TimeLimits
    worker_limits: TimeLimits
    role_prefix: str


def read_terms(source: Source, limits: TimeLimits) -> Terms:
    """The settings that begin with `DATABASE_`. limits: the usual ones of the API. Raises SettingError."""
    url = source.database("DATABASE_URL", "the API's role; unset runs the embedded PostgreSQL")
    owner_url = source.database("DATABASE_OWNER_URL", "the role that owns the database and migrates")
    worker_url = source.database("DATABASE_WORKER_URL", "the worker's role")
    direct_url = source.database("DATABASE_DIRECT_URL", "the API's role past a pooler, for LISTEN")
    worker_direct_url = source.database("DATABASE_WORKER_DIRECT_URL", "the worker's role past a pooler, likewise")
    pooler = source.choice(
        "DATABASE_POOLER", ("none", "transaction"), "none", "whether a pooler such as pgbouncer stands in between"
    )
    if pooler != "none" and not (direct_url and worker_direct_url):
        raise SettingError(
            "DATABASE_POOLER is set, and a pooler passes no notifications on: set DATABASE_DIRECT_URL and "
            "DATABASE_WORKER_DIRECT_URL to ways past it."
        )
    if url is None and (owner_url or worker_url or direct_url or worker_direct_url):
        raise SettingError("DATABASE_URL is not set, but other DATABASE_..._URL are: set all of them or none.")
    return Terms(
        url=url,
        owner_url=owner_url,
        worker_url=worker_url,
        direct_url=direct_url or url,
        worker_direct_url=worker_direct_url or worker_url,
        pooled=pooler == "transaction",
        replica_urls=source.databases("DATABASE_REPLICA_URL", "the API's role on replicas, with blanks between"),
        replica_lag=source.number("DATABASE_REPLICA_LAG", 1, 1, 3600, "seconds that a replica may be behind"),
        pool_size=source.number("DATABASE_POOL_SIZE", 32, 2, 1000, "connections of one process"),
        limits=read_time_limits(source, limits, whose="the API", name="DATABASE"),
        worker_limits=read_time_limits(source, PATIENT, whose="the worker", name="DATABASE_WORKER"),
        role_prefix=source.text("MUSTER_ROLE_PREFIX", "muster", "what the names of database roles begin with"),
    )
