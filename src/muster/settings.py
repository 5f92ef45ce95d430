"""Every setting of Muster: its name, its default and one line of meaning.

A value comes from the environment, then from a file `.env` in the working directory, then from the default. For every
setting `NAME` there is `NAME_FILE`, the path of a file that holds the value, for secrets that are mounted as files.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, TypeVar, get_args
from urllib.parse import SplitResult, urlsplit

from muster.kit.processes import CannotRun
from muster.kit.secretfile import kept_secret
from muster.kit.text import is_origin

Environment = Literal["development", "test", "production"]
LogLevel = Literal["debug", "info", "warning", "error"]

Word = TypeVar("Word", bound=str)

# RFC 7518, section 3.2: a key of HMAC-SHA256 is at least as long as its output, 32 bytes.
SHORTEST_SECRET = 32

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class SettingError(CannotRun):
    """A setting has a value that Muster cannot run with; the message names it and says what to do."""


def needed(name: str, value: str | None) -> str:
    """The value of a setting that a part alone cannot do without. Raises SettingError when there is none."""
    if value is None:
        raise SettingError(f"{name} is not set: set it, or run everything with `muster up`.")
    return value


@dataclass(frozen=True)
class Http:
    """Where the API listens, and which pages it answers.

    origins: whose pages may read answers; `*` is anybody's, without credentials.
    """

    host: str
    port: int
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Database:
    """Which PostgreSQL to use. Without addresses `muster up` runs its own.

    Attributes:
        url: for the API; None asks for the embedded server, and then all are None.
        owner_url: for migrations.
        worker_url: for the worker.
        direct_url: for the API's LISTEN; differs from `url` when that leads to a pooler.
        pool_size: connections of one process.
        role_prefix: what role names begin with.
    """

    url: str | None = field(repr=False)
    owner_url: str | None = field(repr=False)
    worker_url: str | None = field(repr=False)
    direct_url: str | None = field(repr=False)
    pool_size: int
    role_prefix: str


@dataclass(frozen=True)
class Security:
    """Keys.

    Attributes:
        jwt_secret: signs access tokens.
        operator_token: lets the platform's operator ask; None lets nobody.
    """

    jwt_secret: str = field(repr=False)
    operator_token: str | None = field(repr=False)


@dataclass(frozen=True)
class Addresses:
    """How the outside reaches us."""

    app: str
    api: str


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
class Origin:
    """One setting as it was found, for `muster check`.

    Attributes:
        name: its name in the environment.
        shown: what Muster runs with, secrets masked; empty when unset.
        source: `environment`, `.env`, `default`, or the file it was read from.
        meaning: one line.
    """

    name: str
    shown: str
    source: str
    meaning: str


@dataclass(frozen=True)
class Settings:
    """All settings, checked."""

    environment: Environment
    http: Http
    database: Database
    security: Security
    addresses: Addresses
    mail: Mail
    sockets: Sockets
    log_level: LogLevel
    data_dir: Path
    demo: bool
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
            return _read(_Source(os.environ, _dotenv(Path(".env"))))
        return _read(_Source(environ, {}))


def _read(source: "_Source") -> Settings:
    """The whole list, in the order `muster check` prints it."""
    environment: Environment = source.choice(
        "MUSTER_ENV", get_args(Environment), "development", "what this runs for: development, test or production"
    )
    data_dir = Path(
        source.text("MUSTER_DATA_DIR", _data_home(), "where the embedded database and local files live")
    ).expanduser()
    host = source.text("HOST", "127.0.0.1", "address the API listens on; 0.0.0.0 is every network")
    port = source.number("PORT", 8000, 1, 65535, "port the API listens on")
    addresses = Addresses(
        app=source.address(
            "APP_URL", f"http://localhost:{port}", "where people open the application; links in mails lead there"
        ),
        api=source.address("API_URL", f"http://localhost:{port}", "where clients reach this API"),
    )
    return Settings(
        environment=environment,
        data_dir=data_dir,
        http=Http(host=host, port=port, origins=_origins(source, environment)),
        database=_database(source),
        security=Security(
            jwt_secret=_jwt_secret(source, environment, data_dir), operator_token=_operator_token(source)
        ),
        log_level=source.choice("LOG_LEVEL", get_args(LogLevel), "info", "the least important log lines to write"),
        addresses=addresses,
        mail=_mail(source, addresses),
        sockets=_sockets(source),
        demo=source.choice("MUSTER_DEMO", ("on", "off"), "on", "whether a first `muster up` loads the demo") == "on",
        origins=tuple(source.origins),
    )


def _origins(source: "_Source", environment: Environment) -> tuple[str, ...]:
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


def _database(source: "_Source") -> Database:
    url = source.database("DATABASE_URL", "the API's role; unset runs the embedded PostgreSQL")
    owner_url = source.database("DATABASE_OWNER_URL", "the role that owns the database and migrates")
    worker_url = source.database("DATABASE_WORKER_URL", "the worker's role")
    direct_url = source.database("DATABASE_DIRECT_URL", "the API's role past a pooler, for LISTEN")
    if url is None and (owner_url or worker_url or direct_url):
        raise SettingError("DATABASE_URL is not set, but other DATABASE_..._URL are: set all of them or none.")
    return Database(
        url=url,
        owner_url=owner_url,
        worker_url=worker_url,
        direct_url=direct_url or url,
        pool_size=source.number("DATABASE_POOL_SIZE", 32, 2, 1000, "connections of one process"),
        role_prefix=source.text("MUSTER_ROLE_PREFIX", "muster", "what the names of database roles begin with"),
    )


def _jwt_secret(source: "_Source", environment: Environment, data_dir: Path) -> str:
    """The key that signs tokens. Outside production one is made at random and kept in the data directory."""
    kept = None if environment == "production" else data_dir / "jwt.secret"
    secret = source.secret("JWT_SECRET", kept, f"signs access tokens, at least {SHORTEST_SECRET} characters")
    if secret is None:
        raise SettingError(f"JWT_SECRET is not set: production needs {SHORTEST_SECRET} random characters or more.")
    if len(secret) < SHORTEST_SECRET:
        raise SettingError(f"JWT_SECRET has {len(secret)} characters: it needs {SHORTEST_SECRET} random ones or more.")
    return secret


def _operator_token(source: "_Source") -> str | None:
    token = source.secret(
        "MUSTER_OPERATOR_TOKEN", None, f"lets the operator ask /api/v1/admin, at least {SHORTEST_SECRET} characters"
    )
    if token is not None and len(token) < SHORTEST_SECRET:
        raise SettingError(
            f"MUSTER_OPERATOR_TOKEN has {len(token)} characters: it needs {SHORTEST_SECRET} random ones or more."
        )
    return token


def _mail(source: "_Source", addresses: Addresses) -> Mail:
    smtp_url = source.mail_server(
        "SMTP_URL", "the mail server: smtp:, smtp+starttls: or smtps://user:password@host:port"
    )
    default = f"Muster <no-reply@{urlsplit(addresses.app).hostname}>"
    return Mail(smtp_url=smtp_url, sender=source.mailbox("MAIL_FROM", default, "whom mail is from"))


def _sockets(source: "_Source") -> Sockets:
    return Sockets(
        per_process=source.number(
            "SOCKETS_PER_PROCESS", 20_000, 1, 1_000_000, "sockets that one API process keeps open"
        ),
        per_tenant=source.number("SOCKETS_PER_TENANT", 10_000, 1, 1_000_000, "of them, those of one community"),
        per_person=source.number("SOCKETS_PER_PERSON", 20, 1, 1_000_000, "of them, those of one person"),
    )


def _data_home() -> str:
    """The user's data folder (XDG Base Directory Specification), or the system's when root runs Muster."""
    if os.geteuid() == 0:
        return "/var/lib/muster"
    base = os.environ.get("XDG_DATA_HOME", "")
    # The specification tells programs to ignore a relative path.
    return f"{base}/muster" if base.startswith("/") else "~/.local/share/muster"


class _Source:
    """Where settings are read from, with a note of what was found for each."""

    def __init__(self, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> None:
        self._layers = {"environment": environ, ".env": dotenv}
        self.origins: list[Origin] = []

    def text(self, name: str, default: str, meaning: str) -> str:
        value, origin = self._find(name)
        self._note(name, default if value is None else value, origin, meaning)
        return default if value is None else value

    def secret(self, name: str, kept: Path | None, meaning: str) -> str | None:
        """A secret, made and kept in a file when it is not set and there may be such a file."""
        value, origin = self._find(name)
        if value is None and kept is not None:
            value, origin = kept_secret(kept), str(kept)
        self._note(name, "***" if value else "", origin, meaning)
        return value

    def number(self, name: str, default: int, smallest: int, largest: int, meaning: str) -> int:
        value = self.text(name, str(default), meaning)
        if not value.isascii() or not value.isdecimal() or not smallest <= int(value) <= largest:
            raise SettingError(f"{name} is {value!r}: it must be a whole number from {smallest} to {largest}.")
        return int(value)

    def choice(self, name: str, words: tuple[Word, ...], default: Word, meaning: str) -> Word:
        value = self.text(name, default, meaning).lower()
        for word in words:
            if value == word:
                return word
        raise SettingError(f"{name} is {value!r}: it must be one of {', '.join(words)}.")

    def address(self, name: str, default: str, meaning: str) -> str:
        value = self.text(name, default, meaning)
        parts = _split(name, value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingError(f"{name} is {value!r}: it must be an address such as https://example.org.")
        return value.rstrip("/")

    def database(self, name: str, meaning: str) -> str | None:
        value, origin = self._find(name)
        if value is None:
            self._note(name, "", origin, meaning)
            return None
        parts = _split(name, value)
        if parts.scheme not in {"postgresql", "postgres"} or not parts.username or not parts.path.strip("/"):
            raise SettingError(f"{name} must look like postgresql://user:password@host:5432/database.")
        host = parts.netloc.rpartition("@")[2]
        self._note(name, f"{parts.scheme}://{parts.username}:***@{host}{parts.path}", origin, meaning)
        return value

    def mail_server(self, name: str, meaning: str) -> str | None:
        value, origin = self._find(name)
        if value is None:
            self._note(name, "", origin, meaning)
            return None
        parts = _split(name, value)
        if parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname or parts.path.strip("/"):
            raise SettingError(f"{name} must look like smtps://user:password@mail.example.org:465.")
        if parts.scheme == "smtp" and parts.username and parts.hostname not in _THIS_MACHINE:
            raise SettingError(
                f"{name} would send its password in the clear: begin it with smtps: (port 465) or smtp+starttls: (587)."
            )
        user = f"{parts.username}:***@" if parts.username else ""
        self._note(name, f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}", origin, meaning)
        return value

    def mailbox(self, name: str, default: str, meaning: str) -> Address:
        value = self.text(name, default, meaning)
        display_name, address = parseaddr(value)
        try:
            mailbox = Address(display_name, addr_spec=address)
        except (MessageError, ValueError, IndexError):
            mailbox = Address()
        if not mailbox.username or not mailbox.domain or not value.isprintable():
            raise SettingError(f"{name} is {value!r}: it must be a mail address such as Muster <no-reply@example.org>.")
        return mailbox

    def _find(self, name: str) -> tuple[str | None, str]:
        """The value of a setting and where it stands. An empty value counts as unset."""
        for layer, values in self._layers.items():
            direct, path = values.get(name), values.get(f"{name}_FILE")
            if direct and path:
                raise SettingError(f"{name} and {name}_FILE are both set: remove one of them.")
            if direct:
                return direct, layer
            if path:
                return _contents(f"{name}_FILE", path), path
        return None, "default"

    def _note(self, name: str, shown: str, origin: str, meaning: str) -> None:
        self.origins.append(Origin(name, shown, origin, meaning))


def _split(name: str, value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise SettingError(f"{name} is not an address: {error}.") from error
    return parts


def _contents(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name} names {path}, which cannot be read: {error}.") from error


def _dotenv(path: Path) -> dict[str, str]:
    """The lines `NAME=value` of a file, quotes around a value taken off; comments and blank lines are skipped."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not separator:
            raise SettingError(f"Line {number} of {path} is not of the form NAME=value.")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        values[name.strip()] = value[1:-1] if quoted else value
    return values
