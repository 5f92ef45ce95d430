"""A process and the limits that the system sets it."""

import subprocess
import sys

_SCRIPT = """
import resource
from muster.kit.processes import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 300))
print(allow_open_files(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_a_process_takes_as_many_open_files_as_it_may() -> None:
    # In a process of its own: a hard limit that was lowered stays so.
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["300", "300", "300"]


_STARTING = """
import gc
from muster.kit.processes import begin, settle
usual = gc.get_threshold()
begin()
rare = gc.get_threshold()
settle()
print(rare[0] > usual[0], gc.get_threshold() == usual, gc.get_freeze_count() > 1000)
"""


def test_a_process_looks_for_garbage_as_usual_once_it_serves() -> None:
    told = subprocess.run([sys.executable, "-c", _STARTING], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "True", "True"]
