"""Every setting of Muster: its name, its default and one line of meaning.

A value comes from the environment, then from a file `.env` in the working directory, then from the default. For every
setting `NAME` there is `NAME_FILE`, the path of a file that holds the value, for secrets that are mounted as files.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from muster.kit.db.terms import Terms, read_terms
from muster.kit.db.time_limits import PATIENT, SERVING
from muster.kit.keeping import Keeping, read_keeping
from muster.kit.limits import Rule, read_rules
from muster.kit.providers import Vouchers, read_vouchers
from muster.kit.sources import SHORTEST_SECRET, Bind, Origin, SettingError, Source, data_home, dotenv
from muster.kit.storage.settings import Files, read_files
from muster.kit.store.address import StoreAddress
from muster.kit.text import is_address, is_origin
from muster.kit.tracing.settings import Traces, read_traces

Environment = Literal["development", "test", "production"]
LogLevel = Literal["debug", "info", "warning", "error"]


def needed(name: str, value: str | None) -> str:
    """The value of a setting that a part alone cannot do without. Raises SettingError when there is none."""
    if value is None:
        raise SettingError(f"{name} is not set: set it, or run everything with `muster up`.")
    return value


@dataclass(frozen=True)
class Http:
    """Where the API listens, and which pages it answers.

    listener: the number of a listening socket that was handed down; 0 opens one at `host` and `port`.
    origins: whose pages may read answers; `*` is anybody's, without credentials.
    """

    host: str
    port: int
    listener: int
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Security:
    """Keys.

    Attributes:
        jwt_secret: signs access tokens, and seals whatever else may not be forged.
        also_secrets: what is signed or sealed with one of these is good as well, while `jwt_secret` is being changed.
        issuer: what access tokens name as their issuer and their audience.
        operator_token: lets the platform's operator ask; None lets nobody.
    """

    jwt_secret: str = field(repr=False)
    also_secrets: tuple[str, ...] = field(default=(), repr=False)
    issuer: str = "muster"
    operator_token: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that something good may be signed or sealed with; the first is for what is made now."""
        return (self.jwt_secret, *self.also_secrets)


@dataclass(frozen=True)
class Addresses:
    """How the outside reaches us, and where the terms stand that people accept; None where there are none."""

    app: str
    api: str
    terms: str | None


@dataclass(frozen=True)
class Mail:
    """How mail leaves.

    Attributes:
        smtp_url: the mail server; None keeps mail, and /dev/mail shows it in development.
        sender: whom mail is from.
    """

    smtp_url: str | None = field(repr=False)
    sender: Address


@dataclass(frozen=True)
class Sockets:
    """How many sockets one API process keeps open, in all, of one community and of one person."""

    per_process: int
    per_tenant: int
    per_person: int


@dataclass(frozen=True)
class Rates:
    """How rates are limited.

    Attributes:
        are_limited: whether they are.
        chosen: rules of the operator's own, by the names of limits.
        proxies: networks whose word on the client's address is taken.
    """

    are_limited: bool
    chosen: Mapping[str, tuple[Rule, ...]]
    proxies: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True)
class Communities:
    """Who founds communities.

    Attributes:
        by_staff: the platform's own people alone.
        per_person: how many one person owns at most.
        teams, per_team: how many teams each has at most, and how many people each of those.
        letters: how many invitations each mails within an hour at most.
        domain: each community is found at its slug below this; None is nowhere.
        name_server: is asked whether a domain is a community's own; None asks those of the machine.
    """

    by_staff: bool
    per_person: int
    teams: int
    per_team: int
    letters: int
    domain: str | None
    name_server: Bind | None


@dataclass(frozen=True)
class Metrics:
    """Who may see what is measured. Without any of these, nobody.

    Attributes:
        bind: where the API process tells it.
        worker_bind: where the worker does.
        token: what is asked for there; with it the API answers at /metrics of its own address, too.
    socket: where the process tells those beside it, by the name that it has among them; None is a process by itself.
    """

    bind: Bind | None
    worker_bind: Bind | None
    token: str | None = field(repr=False)
    socket: Path | None

    @property
    def name(self) -> str | None:
        """What the process is called among those beside it; None is a process by itself."""
        return None if self.socket is None else self.socket.name

    @property
    def are_told(self) -> bool:
        """Whether anybody is told."""
        return self.bind is not None or self.worker_bind is not None or self.token is not None


@dataclass(frozen=True)
class Watching:
    """What operators are told of besides metrics and traces.

    Attributes:
        sentry_dsn: where faults are told; None is nowhere.
        slow_seconds: from here on a statement of the database is slow.
    """

    sentry_dsn: str | None = field(repr=False)
    slow_seconds: float


@dataclass(frozen=True)
class Settings:
    """All settings, checked.

    Attributes:
        audit_days: how long audit rows are kept; what is about money longer.
    """

    environment: Environment
    http: Http
    database: Terms
    store: StoreAddress | None
    security: Security
    vouchers: Vouchers
    addresses: Addresses
    mail: Mail
    sockets: Sockets
    communities: Communities
    metrics: Metrics
    traces: Traces
    watching: Watching
    rates: Rates
    log_level: LogLevel
    log_requests: bool
    data_dir: Path
    files: Files
    operations: Path | None
    demo: bool
    cities: bool
    audit_days: Keeping
    origins: tuple[Origin, ...] = field(repr=False, compare=False)

    @property
    def is_production(self) -> bool:
        """Whether strangers depend on this service."""
        return self.environment == "production"

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read and check every setting.

        Args:
            environ: stands in for the process's environment; `.env` is then not read.

        Raises:
            SettingError: a value is wrong, or production lacks what it needs.
        """
        if environ is None:
            return _read(Source(os.environ, dotenv(Path(".env"))))
        return _read(Source(environ, {}))


def _read(source: Source) -> Settings:
    """The whole list, in the order `muster check` prints it."""
    environment: Environment = source.choice(
        "MUSTER_ENV", get_args(Environment), "development", "what this runs for: development, test or production"
    )
    data_dir = Path(
        source.text("MUSTER_DATA_DIR", data_home(), "where the embedded database and local files live")
    ).expanduser()
    host = source.text("HOST", "127.0.0.1", "address the API listens on; 0.0.0.0 is every network")
    port = source.number("PORT", 8000, 1, 65535, "port the API listens on")
    addresses = Addresses(
        app=source.address(
            "APP_URL", f"http://localhost:{port}", "where people open the application; links in mails lead there"
        ),
        api=source.address("API_URL", f"http://localhost:{port}", "where clients reach this API"),
        terms=source.address_or_none("TERMS_URL", "terms that everybody accepts who registers; unset asks nobody"),
    )
    return Settings(
        environment=environment,
        data_dir=data_dir,
        files=read_files(source, data_dir),
        http=Http(
            host=host,
            port=port,
            listener=source.number("LISTEN_FD", 0, 0, 65535, "a listening socket that is handed down; 0 opens one"),
            origins=_origins(source, environment),
        ),
        database=read_terms(source, PATIENT if environment == "development" else SERVING),
        store=source.store("REDIS_URL", "Valkey or Redis that processes share: redis://, rediss:// for TLS, unix://"),
        security=_security(source, environment, data_dir),
        vouchers=read_vouchers(source, is_production=environment == "production"),
        log_level=source.choice("LOG_LEVEL", get_args(LogLevel), "info", "the least important log lines to write"),
        log_requests=_log_requests(source, environment),
        addresses=addresses,
        mail=_mail(source, addresses),
        sockets=_sockets(source),
        communities=_communities(source),
        metrics=_metrics(source),
        traces=read_traces(source),
        watching=_watching(source),
        rates=_rates(source, environment),
        operations=_operations(source),
        demo=source.choice("MUSTER_DEMO", ("on", "off"), "on", "whether a first `muster up` loads the demo") == "on",
        cities=source.choice("MUSTER_CITIES", ("on", "off"), "on", "whether it knows the cities of the world") == "on",
        audit_days=read_keeping(source),
        origins=tuple(source.origins),
    )


def _origins(source: Source, environment: Environment) -> tuple[str, ...]:
    """Whose pages may read answers."""
    default = "*" if environment == "development" else ""
    text = source.text("CORS_ORIGINS", default, "origins whose pages may read answers, with commas between")
    found = tuple(each.strip() for each in text.split(",") if each.strip())
    if "*" in found and environment == "production":
        raise SettingError(
            "CORS_ORIGINS holds *, which would let every page read answers: list origins such as https://example.org."
        )
    for each in found:
        if each != "*" and not is_origin(each):
            raise SettingError(f"CORS_ORIGINS holds {each!r}: it must be an origin such as https://example.org.")
    return found


def _security(source: Source, environment: Environment, data_dir: Path) -> Security:
    return Security(
        jwt_secret=_jwt_secret(source, environment, data_dir),
        also_secrets=source.tokens("JWT_SECRET_ALSO", "good besides JWT_SECRET while that is being changed"),
        issuer=source.text("JWT_ISSUER", Security.issuer, "what access tokens name as their issuer and audience"),
        operator_token=source.token("MUSTER_OPERATOR_TOKEN", "lets the operator ask /api/v1/admin"),
    )


def _jwt_secret(source: Source, environment: Environment, data_dir: Path) -> str:
    """The key that signs tokens. Outside production one is made at random and kept in the data directory."""
    kept = None if environment == "production" else data_dir / "jwt.secret"
    secret = source.secret("JWT_SECRET", kept, f"signs access tokens, at least {SHORTEST_SECRET} characters")
    if secret is None:
        raise SettingError(f"JWT_SECRET is not set: production needs {SHORTEST_SECRET} random characters or more.")
    if len(secret) < SHORTEST_SECRET:
        raise SettingError(f"JWT_SECRET has {len(secret)} characters: it needs {SHORTEST_SECRET} random ones or more.")
    return secret


def _metrics(source: Source) -> Metrics:
    told = source.text("METRICS_SOCKET", "", "where processes of one `muster up` tell each other; it sets this itself")
    return Metrics(
        bind=source.bind("MUSTER_METRICS_BIND", "host:port where the API process shows its metrics"),
        worker_bind=source.bind("MUSTER_WORKER_METRICS_BIND", "host:port where the worker shows its metrics"),
        token=source.token("MUSTER_METRICS_TOKEN", "lets Prometheus see metrics, also at the API's /metrics"),
        socket=Path(told) if told else None,
    )


def _watching(source: Source) -> Watching:
    slow = source.number(
        "DATABASE_SLOW_QUERY_MS", 500, 1, 600_000, "statements that take so long are logged and counted"
    )
    return Watching(
        sentry_dsn=source.dsn("SENTRY_DSN", "where Sentry takes faults, as it shows it"), slow_seconds=slow / 1000
    )


def _log_requests(source: Source, environment: Environment) -> bool:
    default = "on" if environment == "production" else "off"
    return source.choice("LOG_REQUESTS", ("on", "off"), default, "whether each request has a line") == "on"


def _operations(source: Source) -> Path | None:
    path = source.text("MUSTER_PERSISTED_ONLY", "", "a file of GraphQL operations; then no others run")
    return Path(path) if path else None


def _mail(source: Source, addresses: Addresses) -> Mail:
    smtp_url = source.mail_server(
        "SMTP_URL", "the mail server: smtp:, smtp+starttls: or smtps://user:password@host:port"
    )
    default = f"Muster <no-reply@{urlsplit(addresses.app).hostname}>"
    return Mail(smtp_url=smtp_url, sender=source.mailbox("MAIL_FROM", default, "whom mail is from"))


def _rates(source: Source, environment: Environment) -> Rates:
    """Tests ask more than people do, so there limits have to be asked for."""
    default = "off" if environment == "test" else "on"
    limited = source.choice(
        "MUSTER_RATE_LIMITS", ("on", "off"), default, "whether rates are limited; off for load tests"
    )
    if limited == "off" and environment == "production":
        raise SettingError("MUSTER_RATE_LIMITS is off, which production refuses: remove it.")
    text = source.text("MUSTER_TRUSTED_PROXIES", "", "networks of proxies that set X-Forwarded-For, by commas")
    try:
        proxies = tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise SettingError(f"MUSTER_TRUSTED_PROXIES must hold networks such as 10.0.0.0/8: {error}.") from error
    rates = "rates other than the usual, as in read=600/60 chat.event.send=30/30,5/5 (how many in how many seconds)"
    try:
        chosen = read_rules(source.text("MUSTER_LIMITS", "", rates))
    except ValueError as error:
        raise SettingError(f"MUSTER_LIMITS {error}.") from None
    return Rates(limited == "on", chosen, proxies)


def _communities(source: Source) -> Communities:
    founders = source.choice(
        "MUSTER_TENANT_FOUNDERS", ("anyone", "staff"), "anyone", "who founds communities: anyone verified, or staff"
    )
    per_person = source.number("MUSTER_TENANTS_PER_PERSON", 20, 1, 100_000, "communities that one person may own")
    teams = source.number("MUSTER_TEAMS_PER_TENANT", 200, 1, 100_000, "teams that one community may have")
    per_team = source.number("MUSTER_PEOPLE_PER_TEAM", 500, 1, 100_000, "people that one team may have")
    letters = source.number("MUSTER_INVITATIONS_PER_HOUR", 1000, 1, 1_000_000, "invitations that are mailed an hour")
    domain = source.text("MUSTER_TENANT_DOMAIN", "", "communities are at <slug>.<this>, where it leads here")
    if domain and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        raise SettingError(f"MUSTER_TENANT_DOMAIN is {domain!r}: it must be a domain such as communities.example.org.")
    server = source.bind("MUSTER_DNS_SERVER", "address:port of the name server to ask; the machine's own when empty")
    if server is not None and not is_address(server.host):
        raise SettingError(f"MUSTER_DNS_SERVER is {server.host!r}: it must be an address such as 127.0.0.1:53.")
    return Communities(founders == "staff", per_person, teams, per_team, letters, domain or None, server)


def _sockets(source: Source) -> Sockets:
    return Sockets(
        per_process=source.number("SOCKETS_PER_PROCESS", 20_000, 1, 1_000_000, "sockets that one process keeps open"),
        per_tenant=source.number("SOCKETS_PER_TENANT", 10_000, 1, 1_000_000, "of them, those of one community"),
        per_person=source.number("SOCKETS_PER_PERSON", 20, 1, 1_000_000, "of them, those of one person"),
    )
