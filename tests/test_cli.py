"""The command line and the settings behind it."""

import json
import stat
from pathlib import Path

import psycopg
import pytest

from muster import __version__
from muster.cli.app import app
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, provision
from muster.kit.sources import SettingError
from muster.settings import Settings
from muster.testing.shell import database_settings, muster

SECRET = "0123456789abcdef0123456789abcdef"
DATABASES = {
    "DATABASE_URL": "postgresql://app:hidden@db/muster",
    "DATABASE_OWNER_URL": "postgresql://owner:hidden@db/muster",
    "DATABASE_WORKER_URL": "postgresql://worker:hidden@db/muster",
}
VERBS = (
    *("up", "serve", "worker", "migrate", "import events", "user create", "user list", "tenant create", "tenant list"),
    *(
        "user reset-password",
        "user forget-factors",
        "user disable",
        "user enable",
        "tenant suspend",
        "tenant resume",
        "tenant delete",
    ),
    *("demo", "token", "login", "logout", "whoami", "check", "openapi", "sdl", "operations", "version"),
    *(f"jobs {verb}" for verb in ("list", "show", "stats", "pause", "resume", "retry", "discard", "cancel")),
    "audit verify",
    "audit export",
    "export person",
    "export tenant",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    app.help_print(verb.split())
    shown = " ".join(capsys.readouterr().out.split())
    assert "Example:" in shown
    assert f"muster {verb} " in shown.replace("\n", " ") + " "


def test_every_verb_is_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {name for name in app if not name.startswith("-")}
    assert listed == {verb.split()[0] for verb in VERBS}


def test_version(tmp_path: Path) -> None:
    assert muster("version", folder=tmp_path).stdout == f"{__version__}\n"
    assert json.loads(muster("version", "--json", folder=tmp_path).stdout) == {"version": __version__}


def test_check_shows_where_settings_come_from_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# local\nPORT=9000\nexport LOG_LEVEL='debug'\nHOST=0.0.0.0\n")
    shown = muster("check", "--json", folder=tmp_path, HOST="::1", JWT_SECRET=SECRET, **DATABASES)
    found = {row["name"]: (row["value"], row["from"]) for row in json.loads(shown.stdout)["settings"]}
    assert found["HOST"] == ("::1", "environment")
    assert found["PORT"] == ("9000", ".env")
    assert found["LOG_LEVEL"] == ("debug", ".env")
    assert found["MUSTER_ENV"] == ("development", "default")
    assert found["DATABASE_URL"] == ("postgresql://app:***@db/muster", "environment")
    assert SECRET not in shown.stdout
    assert "hidden" not in shown.stdout


def test_a_wrong_setting_is_one_sentence_and_a_failure(tmp_path: Path) -> None:
    failed = muster("check", folder=tmp_path, PORT="many")
    assert failed.returncode == 1
    assert failed.stderr == "muster: PORT is 'many': it must be a whole number from 1 to 65535.\n"


def test_an_unknown_verb_is_a_failure(tmp_path: Path) -> None:
    failed = muster("sing", folder=tmp_path)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith('muster: Unknown command "sing".')
    assert failed.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"MUSTER_ENV": "production"}, "JWT_SECRET is not set"),
        ({"JWT_SECRET_ALSO": "short"}, "JWT_SECRET_ALSO holds one of 5 characters"),
        ({"SIGN_IN_WITH": "google"}, "set SIGN_IN_GOOGLE_CLIENT_ID"),
        ({"SIGN_IN_WITH": "link"}, "SIGN_IN_WITH holds 'link'"),
        (
            {
                "SIGN_IN_WITH": "a",
                "SIGN_IN_A_CLIENT_ID": "a",
                "SIGN_IN_A_CLIENT_SECRET": "a",
                "SIGN_IN_A_ISSUER": "http://a",
            },
            "SIGN_IN_A_ISSUER is 'http://a': it must be an address that begins with https://",
        ),
        ({"MUSTER_ENV": "production", "JWT_SECRET": "short"}, "JWT_SECRET has 5 characters"),
        ({"MUSTER_ENV": "staging"}, "MUSTER_ENV is 'staging': it must be one of development, test, production"),
        ({"MUSTER_ENV": "production", "CORS_ORIGINS": "*", "JWT_SECRET": SECRET}, r"CORS_ORIGINS holds \*, which"),
        ({"CORS_ORIGINS": "https://example.org/"}, "CORS_ORIGINS holds 'https://example.org/'"),
        ({"CORS_ORIGINS": "https://a.example, example.org"}, "CORS_ORIGINS holds 'example.org'"),
        ({"CORS_ORIGINS": "https://example.org:443"}, "CORS_ORIGINS holds 'https://example.org:443'"),
        ({"CORS_ORIGINS": "null"}, "CORS_ORIGINS holds 'null'"),
        ({"PORT": "70000"}, "PORT is '70000'"),
        ({"PORT": "٣"}, "PORT is '٣'"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud'"),
        ({"APP_URL": "example.org"}, "APP_URL is 'example.org'"),
        ({"DATABASE_URL": "mysql://root@db/muster"}, "DATABASE_URL must look like postgresql://"),
        ({"DATABASE_URL": "postgresql://a:b@db:99999/muster"}, "DATABASE_URL is not an address"),
        ({"DATABASE_OWNER_URL": "postgresql://a:b@db/muster"}, "DATABASE_URL is not set"),
        ({"JWT_SECRET_FILE": "/does/not/exist"}, "JWT_SECRET_FILE names /does/not/exist"),
        ({"JWT_SECRET": SECRET, "JWT_SECRET_FILE": "/some/file"}, "both set"),
    ],
)
def test_wrong_settings_are_refused_by_name(environ: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=says.replace("(", r"\(")):
        Settings.load({"MUSTER_DATA_DIR": str(tmp_path), **environ})


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    settings = Settings.load({"MUSTER_DATA_DIR": str(tmp_path), "JWT_SECRET_FILE": str(tmp_path / "key")})
    assert settings.security.jwt_secret == SECRET
    assert SECRET not in repr(settings)


def test_development_makes_one_secret_and_keeps_it(tmp_path: Path) -> None:
    environ = {"MUSTER_DATA_DIR": str(tmp_path)}
    secret = Settings.load(environ).security.jwt_secret
    assert Settings.load(environ).security.jwt_secret == secret
    assert len(secret) >= 32
    assert stat.S_IMODE((tmp_path / "jwt.secret").stat().st_mode) == 0o600


def test_production_runs_on_what_it_was_given(tmp_path: Path) -> None:
    given = {"MUSTER_ENV": "production", "JWT_SECRET": SECRET, "MUSTER_DATA_DIR": str(tmp_path), **DATABASES}
    settings = Settings.load(given)
    assert settings.is_production
    assert settings.database.direct_url == DATABASES["DATABASE_URL"]
    assert not list(tmp_path.iterdir())


def test_migrate_brings_a_given_database_up_to_date(server: EmbeddedPostgres, tmp_path: Path) -> None:
    urls = provision(server, prefix="given", database="test_given")
    done = muster("migrate", folder=tmp_path, MUSTER_ROLE_PREFIX="given", **database_settings(urls))
    assert (done.returncode, done.stderr) == (0, "")
    with psycopg.connect(urls.app) as connection:
        assert connection.execute("SELECT current_setting('jit')").fetchone() == ("off",)


def test_migrate_says_when_the_database_does_not_answer(data_dir: Path, tmp_path: Path) -> None:
    nobody_there = EmbeddedPostgres(data_dir)
    owner, app, worker = (nobody_there.url(name, "x", "muster") for name in ("o", "a", "w"))
    failed = muster("migrate", folder=tmp_path, **database_settings(Urls(owner, app, worker)))
    assert failed.returncode == 1
    assert failed.stderr.startswith("muster: o cannot connect to the maintenance database: ")
    assert failed.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_a_part_alone_needs_its_database(verb: str, tmp_path: Path) -> None:
    failed = muster(verb, folder=tmp_path)
    assert failed.returncode == 1
    assert "is not set: set it, or run everything with `muster up`" in failed.stderr
