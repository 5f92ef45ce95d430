"""Make `.venv` from requirements.lock, once; do nothing when it is already right.

Runs on the standard library alone, because nothing else is there yet. A file lock lets two
`make` at once share one installation, and a stamp keeps every later run off the network.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "installed"


def wanted() -> str:
    """What the stamp says when the environment is right.

    The path belongs to it: scripts in a virtual environment name their interpreter by full path, so a
    copied or moved checkout needs a new one.
    """
    contents = LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    return hashlib.sha256(contents).hexdigest()


def is_ready() -> bool:
    """Whether the environment was installed from exactly these files."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted()


def run(*arguments: str) -> None:
    """Run one step, its output on standard error, and fail when it does."""
    subprocess.run(arguments, cwd=ROOT, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def pip(*arguments: str) -> None:
    run(str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def create() -> None:
    """An empty environment with pip, unless a usable one stands here already."""
    prompt = VENV / "pyvenv.cfg"
    moved = not prompt.exists() or f"{VENV}" not in prompt.read_text()
    if PYTHON.exists() and not moved:
        return
    try:
        venv.create(VENV, with_pip=True, clear=True, symlinks=True)
    except subprocess.CalledProcessError:
        sys.exit("This Python cannot make virtual environments: install its venv package (Debian: python3-venv).")


def install_with_uv() -> None:
    """The locked packages by way of uv, which pip fetches first: a third of the time pip takes alone."""
    block = re.search(r"^uv==.*?(?=^[a-z])", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if block is None:
        raise FileNotFoundError("uv is not in requirements.lock")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
        only_uv.write(block.group())
        only_uv.flush()
        pip("install", "--require-hashes", "-r", only_uv.name)
    uv = str(VENV / "bin" / "uv")
    run(uv, "pip", "sync", "--quiet", "--python", str(PYTHON), "--require-hashes", str(LOCK))


def install() -> None:
    """Every locked package, checked against its hash, then Muster itself in place."""
    try:
        install_with_uv()
    except (OSError, subprocess.CalledProcessError):
        print("uv could not install the packages, trying pip alone", file=sys.stderr)
        pip("install", "--require-hashes", "-r", str(LOCK))
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def main() -> None:
    """Bring `.venv` into the state the lock describes."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs under whatever Python the machine has
        sys.exit(f"Muster needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.13 up")
    if is_ready():
        return
    with (ROOT / ".bootstrap.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if is_ready():
            return
        started = time.monotonic()
        print("installing packages into .venv (first time, or the lock changed)", file=sys.stderr)
        os.environ.pop("VIRTUAL_ENV", None)
        STAMP.unlink(missing_ok=True)
        create()
        try:
            install()
        except subprocess.CalledProcessError as failure:
            sys.exit(f"The packages could not be installed ({failure.returncode}): is the network reachable?")
        STAMP.write_text(wanted())
        print(f"packages installed in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
