"""From an empty server to a database that Muster can run on: roles, privileges, then every revision.

Four roles, none of which is a superuser or bypasses row security:

    owner    owns the database and everything in it; migrates
    app      serves; owns nothing
    worker   runs handlers and jobs; owns nothing
    finder   cannot log in; owns the functions that search below row security, in the schema `finders`

Roles belong to the whole server, not to one database. So they are made under a lock on the maintenance database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy.exc import DBAPIError

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.processes import CannotRun
from muster.kit.secretfile import kept_secret

MIGRATIONS = Path(__file__).parents[4] / "migrations"
MAINTENANCE_DATABASE = "postgres"
FINDER_SCHEMA = "finders"

# Any constant will do: it only has to be the same in every process that migrates. ("muster" in ASCII)
MIGRATION_LOCK = 0x6D7573746572

ENTRY = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {logins}, {finder}",
    "CREATE SCHEMA IF NOT EXISTS {finders}",
    "GRANT USAGE ON SCHEMA {finders} TO {logins}",
    "GRANT USAGE, CREATE ON SCHEMA {finders} TO {finder}",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)

Connection = psycopg.Connection[tuple[object, ...]]
Statement = sql.Composed | sql.SQL


class CannotMigrate(CannotRun):
    """The database cannot be brought up to date; the message says what to do."""


@dataclass(frozen=True)
class Roles:
    """The names of the four roles."""

    owner: str
    app: str
    worker: str
    finder: str


@dataclass(frozen=True)
class Urls:
    """The addresses of one database for the three roles that log in, passwords included."""

    owner: str = field(repr=False)
    app: str = field(repr=False)
    worker: str = field(repr=False)

    def roles(self, prefix: str = "muster") -> Roles:
        """The role names in these addresses, and the finder's, which has no address.

        Args:
            prefix: what the finder's name begins with.
        """
        return Roles(_user(self.owner), _user(self.app), _user(self.worker), f"{prefix}_finder")


def roles() -> Roles:
    """The role names of the migration that runs now. For revisions only."""
    names = context.config.attributes["roles"]
    if not isinstance(names, Roles):
        raise TypeError("revisions run through `muster migrate`, which knows the names of the roles")
    return names


def embedded_urls(embedded: EmbeddedPostgres, prefix: str = "muster", database: str = "muster") -> Urls:
    """The addresses of a database on the embedded server; passwords are made once and kept in the data directory.

    Args:
        embedded: the server, started or not.
        prefix: what the role names begin with.
        database: its name.
    """
    owner, app, worker = (
        embedded.url(name, kept_secret(embedded.data_dir / f"{name}.password"), database)
        for name in (f"{prefix}_owner", f"{prefix}_app", f"{prefix}_worker")
    )
    return Urls(owner, app, worker)


def provision(embedded: EmbeddedPostgres, prefix: str = "muster", database: str = "muster") -> Urls:
    """Make the owner role and its database on the embedded server where they are missing.

    Args:
        embedded: a started server.
        prefix: what the role names begin with.
        database: its name.

    Returns:
        where `migrate` and everybody after it connects.
    """
    urls = embedded_urls(embedded, prefix, database)
    owner = _user(urls.owner)
    with _migration_lock(embedded.superuser_url()) as connection:
        name = sql.Identifier(owner)
        if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", owner):
            secret = sql.Literal(_scram(connection, urls.owner))
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(name, secret))
        if not _exists(connection, "SELECT FROM pg_database WHERE datname = %s", database):
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), name))
    return urls


def migrate(urls: Urls, prefix: str = "muster") -> None:
    """Bring roles, privileges and schema up to date; nothing changes when they are.

    Runs that start together wait for each other.

    Args:
        urls: the owner's address is used to connect; the others say which roles log in, with which password.
        prefix: what the finder's name begins with.

    Raises:
        CannotMigrate: the owner may not do it, or a role is more powerful than row security allows.
    """
    names = urls.roles(prefix)
    if names.owner in (names.app, names.worker):
        raise CannotMigrate(
            f"{names.owner} is to own the database and to serve it: give each DATABASE_..._URL its role."
        )
    with _migration_lock(_with_database(urls.owner, MAINTENANCE_DATABASE)) as maintenance:
        _refuse_powerful(maintenance, names)
        _make_roles(maintenance, names, urls)
        _grant_entry(urls, names)
        _upgrade(urls, names)


def newest_revision() -> str | None:
    """The revision that `migrate` brings a database to. Raises CannotMigrate when the migrations are not here."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(**attributes: object) -> Config:
    if not MIGRATIONS.is_dir():
        raise CannotMigrate(f"The migrations are not in {MIGRATIONS}: run Muster from its repository.")
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _upgrade(urls: Urls, names: Roles) -> None:
    config = _config(url=urls.owner, roles=names)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise CannotMigrate(f"{error}: is the database newer than this release of Muster?") from error
    except DBAPIError as error:
        reason = str(error.orig).split("\n", 1)[0]
        raise CannotMigrate(f"A migration was rolled back ({reason}): run it again if it waited for a lock.") from error


@contextmanager
def _migration_lock(url: str) -> Iterator[Connection]:
    """A connection, in autocommit, that holds the lock of everybody who changes roles or schema on this server."""
    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError as error:
        reason = str(error).strip().replace("\n", " ")
        raise CannotMigrate(f"{_user(url)} cannot connect to the maintenance database: {reason}") from error
    with connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield connection


def _refuse_powerful(connection: Connection, names: Roles) -> None:
    """Row security does not bind superusers and BYPASSRLS: with such a role tenants would not be kept apart."""
    found = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls)",
        [[names.owner, names.app, names.worker, names.finder]],
    ).fetchone()
    if found is not None:
        raise CannotMigrate(
            f"The role {found[0]} is a superuser or has BYPASSRLS, so row security would not keep tenants apart: "
            "ALTER ROLE ... NOSUPERUSER NOBYPASSRLS, or name an ordinary role. An owner is made by "
            "CREATE ROLE muster_owner LOGIN CREATEROLE PASSWORD '...'; CREATE DATABASE muster OWNER muster_owner;"
        )


def _make_roles(connection: Connection, names: Roles, urls: Urls) -> None:
    """Make the roles that are missing and give them their defaults."""
    statements = list(_missing_roles(connection, names, urls))
    try:
        for statement in statements:
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        remedy = "; ".join(statement.as_string(connection) for statement in _missing_roles(connection, names, None))
        raise CannotMigrate(f"{names.owner} may not make roles; run this as an administrator: {remedy};") from error


def _missing_roles(connection: Connection, names: Roles, urls: Urls | None) -> Iterator[Statement]:
    """The statements that are still needed; without addresses they hold dots where the passwords belong."""
    logins = {names.app: urls and urls.app, names.worker: urls and urls.worker}
    for name, url in logins.items():
        if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", name):
            secret = _scram(connection, url) if url else "..."
            yield sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(secret))
    finder = sql.Identifier(names.finder)
    if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", names.finder):
        yield sql.SQL("CREATE ROLE {} NOLOGIN").format(finder)
    if not _owner_hands_over(connection, names):
        # SET lets the owner hand functions to the finder. Without INHERIT the finder's policies do not show
        # the owner any rows.
        yield sql.SQL("GRANT {} TO {} WITH SET TRUE, INHERIT FALSE").format(finder, sql.Identifier(names.owner))
    for name in (names.owner, names.app, names.worker):
        for setting, value in (("TimeZone", "UTC"), ("jit", "off")):
            if not _exists(
                connection,
                "SELECT FROM pg_roles WHERE rolname = %s AND %s = ANY(rolconfig)",
                name,
                f"{setting}={value}",
            ):
                yield sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
                )


def _owner_hands_over(connection: Connection, names: Roles) -> bool:
    return _exists(
        connection,
        "SELECT FROM pg_auth_members WHERE roleid = to_regrole(quote_ident(%s)) "
        "AND member = to_regrole(quote_ident(%s)) AND set_option",
        names.finder,
        names.owner,
    )


def _grant_entry(urls: Urls, names: Roles) -> None:
    """Say who may enter a database and its schemas. Tables and functions are granted by the revisions that make them."""
    with psycopg.connect(urls.owner) as connection:
        grant_connect(connection, connection.info.dbname, names)
        parts = {
            "finders": sql.Identifier(FINDER_SCHEMA),
            "finder": sql.Identifier(names.finder),
            "logins": _logins(names),
        }
        for line in ENTRY:
            connection.execute(sql.SQL(line).format(**parts))


def grant_connect(connection: Connection, database: str, names: Roles) -> None:
    """Say who may connect to a database, which is all that a copy of a database does not have from its model.

    connection: the owner's or the superuser's, to any database of the server.
    """
    name = sql.Identifier(database)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, _logins(names)))


def _logins(names: Roles) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(names.app), sql.Identifier(names.worker)])


def _exists(connection: Connection, query: str, *values: str) -> bool:
    return connection.execute(query.encode(), values).fetchone() is not None


def _scram(connection: Connection, url: str) -> str:
    """The verifier of the password in an address: the password itself would stand in server logs."""
    password = unquote(urlsplit(url).password or "")
    if not password:
        raise CannotMigrate(f"The address of {_user(url)} has no password, so its role cannot be made: add one.")
    return connection.pgconn.encrypt_password(password.encode(), _user(url).encode(), b"scram-sha-256").decode()


def _user(url: str) -> str:
    name = urlsplit(url).username
    if not name:
        raise CannotMigrate("A database address names no user: write it as postgresql://user:password@host/database.")
    return unquote(name)


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
