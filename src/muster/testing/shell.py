"""The command line, run as an operator runs it: as a process of its own."""

import os
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from muster.kit.db.migrate import Urls

# To start Python and to import Muster takes longer than most verbs, so a process that has is there to be copied.
_copies = get_context("forkserver")
_copies.set_forkserver_preload(["muster.cli", "muster.cli.operator", "muster.cli.importing", "muster.slices"])


def muster(
    *arguments: str, folder: Path, stdin: str | None = None, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a folder, which is its data directory too, and wait for its end.

    stdin: what it reads; None is nothing. environ: its settings.
    """
    with TemporaryDirectory() as streams:
        said, complained = Path(streams, "1"), Path(streams, "2")
        Path(streams, "0").write_text(stdin or "", encoding="utf-8")
        process = _copies.Process(target=_main, args=(arguments, folder, _environ(folder, environ), streams))
        process.start()
        process.join()
        code = process.exitcode
        process.close()
        assert code is not None
        return subprocess.CompletedProcess(arguments, code, *map(_text, (said, complained)))


def started(*arguments: str, folder: Path, **environ: str) -> "subprocess.Popen[str]":
    """The same, not waited for, and started from nothing as an operator's is."""
    return subprocess.Popen(
        [sys.executable, "-m", "muster.cli", *arguments],
        cwd=folder,
        env=_environ(folder, environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def database_settings(urls: Urls) -> dict[str, str]:
    """The settings that name a database."""
    return {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner, "DATABASE_WORKER_URL": urls.worker}


def _environ(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    return {"PATH": os.defpath, "MUSTER_DATA_DIR": str(folder), **environ}


def _main(arguments: tuple[str, ...], folder: Path, environ: dict[str, str], streams: str) -> None:
    """What a copy does: take the place of a process that was started so."""
    for number, mode in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(Path(streams, str(number)), mode, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it is the process's own
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["muster", *arguments]
    from muster.cli import main

    main()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
