"""The command line: each verb in a few lines. `muster up` is all a fresh machine needs."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from muster import __version__
from muster.kit.processes import CannotRun
from muster.settings import SettingError, Settings

if TYPE_CHECKING:
    from muster.kit.db.migrate import Urls

# A verb imports what it needs when it runs: the API process should hold neither migrations nor the supervisor.

app = App(
    name="muster", version=__version__, help="The application backend for communities that meet, compete and pay."
)


@app.command
def up() -> None:
    """Run everything: database, API and worker. Ctrl-C stops it.

    Without DATABASE_URL it brings its own PostgreSQL.

    Example: PORT=8080 muster up
    """
    from muster.kit.supervisor import AlreadyUp, Plan, supervise

    settings = Settings.load()
    plan = Plan(
        data_dir=settings.data_dir,
        host=settings.http.host,
        port=settings.http.port,
        urls=_urls(settings) if settings.database.url else None,
        role_prefix=settings.database.role_prefix,
        programs={verb: [sys.executable, "-m", "muster.cli", verb] for verb in ("serve", "worker")},
        environ=lambda urls: _environ(settings, urls),
    )
    try:
        supervise(plan, _say)
    except AlreadyUp as running:
        _say(str(running))


@app.command
def serve() -> None:
    """Run the API alone, on a database that is there and migrated.

    Example: DATABASE_URL=postgresql://muster_app:...@db/muster muster serve
    """
    settings = Settings.load()
    _needs("DATABASE_URL", settings.database.url)

    from muster.kit import log
    from muster.main import serve as run

    log.configure(settings.log_level)
    run(settings)


@app.command
def worker() -> None:
    """Run the worker alone: handlers of facts, jobs and what is due.

    Example: DATABASE_WORKER_URL=postgresql://muster_worker:...@db/muster muster worker
    """
    settings = Settings.load()
    _needs("DATABASE_WORKER_URL", settings.database.worker_url)

    from muster.kit import log
    from muster.worker import run

    log.configure(settings.log_level)
    run(settings)


@app.command
def migrate() -> None:
    """Bring roles and schema of the database up to date; harmless when they are.

    Example: DATABASE_OWNER_URL=postgresql://muster_owner:...@db/muster muster migrate
    """
    from muster.kit.db.embedded import AlreadyRunning, EmbeddedPostgres
    from muster.kit.db.migrate import migrate as run
    from muster.kit.db.migrate import provision

    settings = Settings.load()
    prefix = settings.database.role_prefix
    if settings.database.url:
        run(_urls(settings), prefix)
        return
    with ExitStack() as stack:
        embedded = EmbeddedPostgres(settings.data_dir)
        with suppress(AlreadyRunning):
            stack.enter_context(embedded)
        run(provision(embedded, prefix), prefix)


@app.command
def check(*, as_json: Annotated[bool, Parameter("--json", negative="")] = False) -> None:
    """Check all settings and print each with where it comes from, secrets masked.

    Example: MUSTER_ENV=production muster check

    Parameters
    ----------
    as_json
        Print a JSON array.
    """
    from rich.console import Console
    from rich.table import Table

    origins = Settings.load().origins
    if as_json:
        rows = [{"name": o.name, "value": o.shown, "source": o.source, "meaning": o.meaning} for o in origins]
        print(json.dumps(rows, indent=2))
        return
    table = Table("setting", "value", "from", "meaning", box=None)
    for origin in origins:
        table.add_row(origin.name, origin.shown, origin.source, origin.meaning)
    Console().print(table)


@app.command
def openapi() -> None:
    """Print the OpenAPI document of the REST API.

    Example: muster openapi > openapi.json
    """
    from muster.main import openapi_document

    print(openapi_document())


@app.command
def sdl() -> None:
    """Print the GraphQL schema.

    Example: muster sdl > schema.graphql
    """
    from muster.main import schema_sdl

    print(schema_sdl())


@app.command
def version() -> None:
    """Print the version.

    Example: muster version
    """
    print(__version__)


def main() -> None:
    """Run one verb; a failure is one plain sentence and exit code 1."""
    try:
        app()
    except (CannotRun, OSError) as error:
        sys.exit(f"muster: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # 128 + SIGINT, as shells have it


def _say(line: str) -> None:
    print(line, flush=True)


def _needs(name: str, value: str | None) -> str:
    if value is None:
        raise SettingError(f"{name} is not set: set it, or run everything with `muster up`.")
    return value


def _urls(settings: Settings) -> "Urls":
    from muster.kit.db.migrate import Urls

    database = settings.database
    return Urls(
        owner=_needs("DATABASE_OWNER_URL", database.owner_url),
        app=_needs("DATABASE_URL", database.url),
        worker=_needs("DATABASE_WORKER_URL", database.worker_url),
    )


def _environ(settings: Settings, urls: "Urls") -> Mapping[str, str]:
    """What the programs get: our environment, with the answers that we worked out for them."""
    answers = {
        "DATABASE_URL": urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "DATABASE_WORKER_URL": urls.worker,
        "JWT_SECRET": settings.security.jwt_secret,
    }
    replaced = {f"{name}_FILE" for name in answers}
    return {name: value for name, value in os.environ.items() if name not in replaced} | answers


if __name__ == "__main__":
    main()
