"""The folders of the tests' servers: what a killed run has left is removed, what somebody uses is not."""

import fcntl
import os
import shutil
import subprocess
import sys
from uuid import uuid4

from muster.testing.throwaway import throwaway_folder


def test_what_killed_runs_left_goes_and_what_is_used_stays() -> None:
    prefix = f"muster-sweep-{uuid4()}-"
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    folders = {word: throwaway_folder(prefix) for word in ("left", "held", "stopping", "new")}
    for word, holder in (
        ("left", gone.stdout.decode()),
        ("held", gone.stdout.decode()),
        ("stopping", str(os.getpid())),
    ):
        (folders[word] / "postgres.lock").write_text(holder)
    with (folders["held"] / "postgres.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folders["last"] = throwaway_folder(prefix)
        there = {word for word, folder in folders.items() if folder.exists()}
    for word in there:
        shutil.rmtree(folders[word])
    assert there == {"held", "stopping", "new", "last"}
