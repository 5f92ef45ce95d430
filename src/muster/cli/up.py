"""Everything with one command, and what it does first: bring the database up to date."""

import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Annotated

from cyclopts import Parameter

from muster.cli.urls import given_urls, running_database
from muster.events.cities.loading import load_cities
from muster.kit.db.migrate import Urls
from muster.kit.db.migrate import migrate as bring_up_to_date
from muster.kit.processes import CannotRun
from muster.kit.store.embedded import EmbeddedStore
from muster.kit.supervisor import AlreadyUp, Plan, supervise
from muster.settings import Settings


def up(*, processes: Annotated[int, Parameter(help="How many processes serve the API, all on one port.")] = 1) -> None:
    """Run everything: database, API and worker. Ctrl-C stops it.

    Without DATABASE_URL it brings its own PostgreSQL, and for several processes without REDIS_URL a store of its own. Outside production it loads a demo community where nobody has an
    account yet; MUSTER_DEMO=off starts empty. SIGUSR1 restarts the API's processes one after the other, and nobody is
    turned away.

    Example: PORT=8080 muster up --processes 2
    """
    if processes < 1:
        raise CannotRun("--processes is a number from 1 on.")
    serving = ["serve", *(f"serve {number}" for number in range(2, processes + 1))]
    settings = Settings.load()
    store = EmbeddedStore(settings.data_dir) if processes > 1 and settings.store is None else None
    plan = Plan(
        data_dir=settings.data_dir,
        host=settings.http.host,
        port=settings.http.port,
        urls=given_urls(settings) if settings.database.url else None,
        role_prefix=settings.database.role_prefix,
        programs={
            **({} if store is None else {"store": store.command()}),
            **dict.fromkeys(serving, _verb("serve")),
            "worker": _verb("worker"),
        },
        serving=serving,
        fill=partial(_fill, settings),
        beneath=() if store is None else ("store",),
        welcome=None if settings.is_production else _verb("demo", "--first-start"),
        environ=lambda urls: _environ(settings, urls, store),
    )
    try:
        supervise(plan, _say)
    except AlreadyUp as running:
        _say(str(running))


def migrate() -> None:
    """Bring roles and schema of the database up to date; harmless when they are.

    Example: DATABASE_OWNER_URL=postgresql://muster_owner:...@db/muster muster migrate
    """
    settings = Settings.load()
    with running_database(settings) as urls:
        bring_up_to_date(urls, settings.database.role_prefix)
        _fill(settings, urls)


def _fill(settings: Settings, urls: Urls) -> None:
    """Bring what we bring along for everybody into the database."""
    if settings.cities:
        load_cities(urls.owner)


def _verb(*words: str) -> list[str]:
    return [sys.executable, "-m", "muster.cli", *words]


def _say(line: str) -> None:
    print(line, flush=True)


def _environ(settings: Settings, urls: Urls, store: EmbeddedStore | None) -> Mapping[str, str]:
    """What the programs get: our environment, with the answers that we worked out for them."""
    answers = {
        "DATABASE_URL": settings.database.url or urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "DATABASE_WORKER_URL": settings.database.worker_url or urls.worker,
        "JWT_SECRET": settings.security.jwt_secret,
        **({} if store is None else {"REDIS_URL": store.url}),
    }
    replaced = {f"{name}_FILE" for name in answers}
    return {name: value for name, value in os.environ.items() if name not in replaced} | answers
