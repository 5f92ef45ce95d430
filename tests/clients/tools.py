"""Node.js, the client libraries and the generators: fetched once, kept in pytest's cache, run as programs."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
WANTED = (HERE / "requirements.txt", HERE / "package.json")
PATIENCE = 90.0
"""Seconds that a program may take."""


class Unreachable(Exception):
    """The packages are not here and cannot be fetched."""


@dataclass(frozen=True)
class Tools:
    """Programs in a folder of their own: an environment of Python with Node.js in it, and `node_modules` beside."""

    folder: Path

    async def run(self, where: Path, program: str, *arguments: str, **environ: str) -> str:
        """Run one of the programs in a folder; answers with what it printed. Fails the test when the program fails.

        environ: more of its environment, by name.
        """
        process = await asyncio.create_subprocess_exec(
            self._find(program),
            *arguments,
            cwd=where,
            env=self._environment() | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            told, complained = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, f"{program} failed:\n{told.decode()}\n{complained.decode()}"
        return told.decode()

    @asynccontextmanager
    async def serving(self, where: Path, program: str, *arguments: str, **environ: str) -> AsyncIterator[str]:
        """One of the programs as a server meanwhile; gives the first line that it prints, when it does.

        environ: more of its environment, by name.
        """
        process = await asyncio.create_subprocess_exec(
            self._find(program),
            *arguments,
            cwd=where,
            env=self._environment() | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # The program may be a start for another one, which has to end with it.
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            assert line, f"{program} does not serve"
            yield line.decode().strip()
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    @contextmanager
    def copy(self, folder: Path, *files: Path) -> Iterator[Path]:
        """A fresh copy of a folder of ours, with more files in it, where Node.js finds the packages; gone at the end."""
        with tempfile.TemporaryDirectory(dir=self.folder) as target:
            shutil.copytree(folder, target, dirs_exist_ok=True)
            for file in files:
                shutil.copy(file, target)
            yield Path(target)

    def _find(self, program: str) -> str:
        found = shutil.which(program, path=self._environment()["PATH"])
        assert found, f"there is no program {program}"
        return found

    def _environment(self) -> dict[str, str]:
        ours = (self.folder / "node_modules" / ".bin", self.folder / "venv" / "bin")
        return os.environ | {"PATH": os.pathsep.join([*map(str, ours), os.environ["PATH"]]), "NO_UPDATE_NOTIFIER": "1"}


def fetch(cache: Path) -> Tools:
    """The tools, fetched unless they are in the cache already. Raises Unreachable."""
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in WANTED)).hexdigest()[:16]
    folder = cache / stamp
    with (cache / "lock").open("w") as held:
        # Workers of pytest-xdist come here at once; whoever is first fetches for all.
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.exists():
            # What else is here is of other versions, or was cut off.
            for old in filter(Path.is_dir, cache.iterdir()):
                shutil.rmtree(old)
            unfinished = cache / "unfinished"
            unfinished.mkdir()
            _install(unfinished)
            unfinished.rename(folder)
    return Tools(folder)


def _install(folder: Path) -> None:
    for path in WANTED:
        shutil.copy(path, folder)
    uv = shutil.which("uv", path=Path(sys.executable).parent) or "uv"
    python = folder / "venv" / "bin" / "python"
    # Relocatable, because the folder is renamed when it is whole.
    _step(uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, folder / "venv")
    _step(uv, "pip", "install", "--quiet", "--python", python, "-r", folder / "requirements.txt")
    npm = python.with_name("npm")
    _step(python, npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", cwd=folder)


def _step(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(list(map(str, command)), cwd=cwd, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise Unreachable(f"{Path(command[0]).name} {command[1]}: {done.stderr.strip()[-500:]}")
