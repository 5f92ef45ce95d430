"""The command line, run as an operator runs it: as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from muster.kit.db.migrate import Urls

# To start Python and to import Muster takes longer than most verbs, so a process that has is there to be copied.
_copies = get_context("forkserver")
_copies.set_forkserver_preload(
    ["muster.cli", "muster.cli.operator", "muster.cli.importing", "muster.main", "muster.worker"]
)


def muster(
    *arguments: str, folder: Path, stdin: str | None = None, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a folder, which is its data directory too, and wait for its end.

    stdin: what it reads; None is nothing. environ: its settings.
    """
    with TemporaryDirectory() as streams:
        said, complained = Path(streams, "1"), Path(streams, "2")
        Path(streams, "0").write_text(stdin or "", encoding="utf-8")
        process = _copy(arguments, folder, _environ(folder, environ), (Path(streams, "0"), said, complained))
        process.join()
        code = process.exitcode
        process.close()
        assert code is not None
        return subprocess.CompletedProcess(arguments, code, *map(_text, (said, complained)))


class Running:
    """A verb that runs on as a process of its own, which may be killed."""

    def __init__(self, verb: str, *, folder: Path, log: Path, environ: Mapping[str, str]) -> None:
        """Start it. log: a file that it writes into, after what is there already. environ: all that it has."""
        self._process = _copy((verb,), folder, environ, (Path(os.devnull), log, log))

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.terminate()

    def kill(self) -> None:
        """End it by SIGKILL, in the middle of whatever it does."""
        self._process.kill()

    async def wait(self) -> None:
        """Wait for its end."""
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._process.sentinel, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(self._process.sentinel)


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
    # To load the cities takes longer than most verbs.
    return {"PATH": os.defpath, "MUSTER_DATA_DIR": str(folder), "MUSTER_CITIES": "off", **environ}


def _copy(
    arguments: tuple[str, ...], folder: Path, environ: Mapping[str, str], streams: tuple[Path, Path, Path]
) -> ForkServerProcess:
    """A copy that runs a verb. streams: what it reads, and the files that it writes and complains into."""
    process = _copies.Process(target=_main, args=(arguments, folder, dict(environ), streams))
    process.start()
    return process


def _main(arguments: tuple[str, ...], folder: Path, environ: dict[str, str], streams: tuple[Path, Path, Path]) -> None:
    """What a copy does: take the place of a process that was started so."""
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, (path, mode) in enumerate(zip(streams, (os.O_RDONLY, written, written), strict=True)):
        os.dup2(os.open(path, mode, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it is the process's own
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["muster", *arguments]
    from muster.cli import main

    main()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
