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

    stdin: what it reads; None is nothing. environ: its settings.
    """
    with started(*arguments, folder=folder, **environ) as process:
        said, complained = process.communicate(stdin or "")
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def started(*arguments: str, folder: Path, **environ: str) -> "subprocess.Popen[str]":
    """The same, not waited for."""
    return subprocess.Popen(
        [sys.executable, "-m", "muster.cli", *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "MUSTER_DATA_DIR": str(folder), **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def database_settings(urls: Urls) -> dict[str, str]:
    """The settings that name a database."""
    return {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner, "DATABASE_WORKER_URL": urls.worker}
