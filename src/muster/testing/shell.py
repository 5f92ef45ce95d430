"""The command line, run as an operator runs it: as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from muster.kit.db.migrate import Urls


def muster(
    *arguments: str, folder: Path, stdin: str | None = None, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a folder, which is its data directory too, and wait for its end.

    stdin: what it reads; None closes it. environ: its settings.
    """
    return subprocess.run(
        [sys.executable, "-m", "muster.cli", *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "MUSTER_DATA_DIR": str(folder), **environ},
        input=stdin or "",
        capture_output=True,
        text=True,
        check=False,
    )


def database_settings(urls: Urls) -> dict[str, str]:
    """The settings that name a database."""
    return {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner, "DATABASE_WORKER_URL": urls.worker}
