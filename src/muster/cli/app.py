"""Which verbs there are. A failure of any is one plain sentence and an exit code."""

import sys

from cyclopts import App, CycloptsError

from muster import __version__
from muster.kit.errors import AppError
from muster.kit.processes import CannotRun

app = App(
    name="muster",
    version=__version__,
    help="The application backend for communities that meet, compete and pay.",
    exit_on_error=False,
    print_error=False,
)
_import = App(name="import", help="Bring data of other systems in.")
_user = App(name="user", help="Make and list people's accounts.")
_tenant = App(name="tenant", help="Make and list communities.")
_jobs = App(name="jobs", help="See jobs, and put right what failed.")
for group in (_import, _user, _tenant, _jobs):
    app.command(group)

# Named, not imported: the API process should hold neither migrations nor the supervisor, and `version` should be quick.
app.command("muster.cli.up:up")
app.command("muster.cli.processes:serve")
app.command("muster.cli.processes:worker")
app.command("muster.cli.up:migrate")
app.command("muster.cli.demo:demo")
app.command("muster.cli.accounts:token")
app.command("muster.cli.checking:check")
app.command("muster.cli.contracts:openapi")
app.command("muster.cli.contracts:sdl")
app.command("muster.cli.contracts:version")
_import.command("muster.cli.importing:import_events", name="events")
_user.command("muster.cli.accounts:create_user", name="create")
_user.command("muster.cli.accounts:list_users", name="list")
_tenant.command("muster.cli.tenants:create_tenant", name="create")
_tenant.command("muster.cli.tenants:list_tenants", name="list")
_jobs.command("muster.cli.jobs:list_jobs", name="list")
_jobs.command("muster.cli.jobs:show_job", name="show")
_jobs.command("muster.cli.jobs:job_stats", name="stats")
_jobs.command("muster.cli.jobs:pause_queue", name="pause")
_jobs.command("muster.cli.jobs:resume_queue", name="resume")
_jobs.command("muster.cli.jobs:retry_jobs", name="retry")
_jobs.command("muster.cli.jobs:discard_jobs", name="discard")
_jobs.command("muster.cli.jobs:cancel_jobs", name="cancel")


def main() -> None:
    """Run one verb; what goes wrong is one plain sentence and exit code 1."""
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
