"""Which verbs there are. A failure of any is one plain sentence and an exit code."""

import ast
import sys
from functools import cache
from pathlib import Path

from cyclopts import App, CycloptsError

from muster import __version__
from muster.kit.errors import AppError
from muster.kit.processes import CannotRun, begin

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

app = App(
    name="muster",
    version=__version__,
    help="The application backend for communities that meet, compete and pay.",
    help_format="plaintext",
    exit_on_error=False,
    print_error=False,
)
_import = App(name="import", help="Bring data of other systems in.")
_user = App(name="user", help="Make and list people's accounts, close them and open them.")
_tenant = App(name="tenant", help="Make and list communities, close them and open them.")
_jobs = App(name="jobs", help="See jobs, and put right what failed.")
_export = App(name="export", help="Give out what is kept of a person or a community.")
_audit = App(name="audit", help="Verify and export who did what.")
for group in (_import, _export, _user, _tenant, _jobs, _audit):
    app.command(group)


@cache
def _docstrings(module: str) -> dict[str, str | None]:
    """What the functions of a module in this folder say of themselves, read from its source."""
    parsed = ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8"))
    return {each.name: ast.get_docstring(each) for each in parsed.body if isinstance(each, _FUNCTIONS)}


def _verb(group: App, path: str, name: str | None = None) -> None:
    """Name a verb without importing it: the API process should hold neither migrations nor the supervisor, and
    `version` and `--help` should be quick.

    path: `<module in this folder>:<function>`. name: of the verb, where it is not the function's.
    """
    module, _, function = path.partition(":")
    group.command(f"muster.cli.{path}", name=name or function, help=_docstrings(module)[function])


_verb(app, "up:up")
_verb(app, "processes:serve")
_verb(app, "processes:worker")
_verb(app, "up:migrate")
_verb(app, "demo:demo")
_verb(app, "tokens:token")
_verb(app, "signing_in:login")
_verb(app, "signing_in:logout")
_verb(app, "signing_in:whoami")
_verb(app, "checking:check")
_verb(app, "contracts:openapi")
_verb(app, "contracts:sdl")
_verb(app, "contracts:operations")
_verb(app, "contracts:version")
_verb(_import, "importing:import_events", "events")
_verb(_export, "exporting:export_person", "person")
_verb(_export, "exporting:export_tenant", "tenant")
_verb(_user, "accounts:create_user", "create")
_verb(_user, "accounts:list_users", "list")
_verb(_user, "staff:staff")
_verb(_user, "accounts:reset_password", "reset-password")
_verb(_user, "accounts:forget_factors", "forget-factors")
_verb(_user, "accounts:disable_user", "disable")
_verb(_user, "accounts:enable_user", "enable")
_verb(_tenant, "tenants:create_tenant", "create")
_verb(_tenant, "tenants:list_tenants", "list")
_verb(_tenant, "tenants:suspend_tenant", "suspend")
_verb(_tenant, "tenants:resume_tenant", "resume")
_verb(_tenant, "tenants:delete_tenant", "delete")
_verb(_tenant, "tenants:limit_tenant", "limit")
_verb(_tenant, "inviting:invite_members", "invite")
_verb(_tenant, "recounting:recount_events", "recount")
_verb(_jobs, "jobs:list_jobs", "list")
_verb(_jobs, "jobs:show_job", "show")
_verb(_jobs, "jobs:job_stats", "stats")
_verb(_jobs, "jobs:pause_queue", "pause")
_verb(_jobs, "jobs:resume_queue", "resume")
_verb(_jobs, "jobs:retry_jobs", "retry")
_verb(_jobs, "jobs:discard_jobs", "discard")
_verb(_jobs, "jobs:cancel_jobs", "cancel")
_verb(_audit, "auditing:verify_audit", "verify")
_verb(_audit, "audit_export:export_audit", "export")


def main() -> None:
    """Run one verb; what goes wrong is one plain sentence and exit code 1."""
    begin()
    try:
        app()
    except CycloptsError as error:
        sys.exit(f"muster: {error} `muster --help` shows what there is.")
    except (CannotRun, AppError, OSError) as error:
        sys.exit(f"muster: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # 128 + SIGINT, as shells have it
    except Exception as error:
        from muster.kit.db.failures import as_client_error  # the driver takes a while to import

        said = as_client_error(error)
        if said is None:
            raise
        sys.exit(f"muster: {said}")
