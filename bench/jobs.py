"""Jobs: how many a second one worker does, how soon it picks one up, and whether any is lost when workers are killed.

python -m bench.jobs                  # 20,000 trivial jobs on one worker, beside BullMQ
python -m bench.jobs lose 30000       # the worker is killed again and again; every job is accounted for
python -m bench.jobs fair 100000      # how long one community's jobs wait while another has so many
"""

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import uvloop
from rich.status import Status

from bench import trials
from bench.chapters import Chapter, Column, Match, at_least, at_most, program
from bench.data import work_folder
from bench.meters import cpu_of
from bench.redis import ALWAYS, EVERY_SECOND, redis
from bench.rounds import take_turns
from bench.servers import MUSTER, install_peer
from muster.settings import Settings

_AT_ONCE = 60
"""As the worker has it."""
_PATIENCE_SECONDS = 120
_RATES = (
    Column("rate", "jobs/s"),
    Column("worker", "CPU ms of a job, worker", ".3f"),
    Column("store", "PostgreSQL or Redis", ".3f"),
)
_WAITS = (Column("p50", "p50 ms", ".2f"), Column("p99", "p99 ms", ".2f"))
_NOTES = """
Jobs that do nothing, waiting in the queue before one worker starts, which has sixty under way at once. Picked up: one job
at a time for an idle worker, from just before it is asked for to when it runs.

Ours is asked for by a fact that commits with the work it follows from: commit, sequencer, queue, worker. What was
acknowledged is on disk, and so is what became of each job. BullMQ is asked for directly, and its Redis runs with
`appendfsync everysec`, as its makers advise, where a crash of the machine loses a second of acknowledged jobs; and with
`always`, which loses none.
"""
_SETTINGS = {"BullMQ, everysec": EVERY_SECOND, "BullMQ, always": ALWAYS}


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Let the contestants take turns, each time with a store of its own."""
    count, picked = (3_000, 50) if quick else (20_000, 200)
    chapter = Chapter("jobs", "Jobs", _NOTES)
    rate, wait = Match(f"{count:,} jobs", _RATES), Match("picked up by an idle worker", _WAITS)
    chapter.matches += [rate, wait]
    turns: list[Callable[[], None]] = [lambda: uvloop.run(_ours(rate, wait, count, picked))]
    if peers:
        folder = work_folder(Settings.load().data_dir)
        node = install_peer(folder, lambda step: status.update(f"jobs: {step}"))
        turns += [partial(_theirs, folder, node, rate, wait, name, count, picked) for name in _SETTINGS]
    status.update("jobs")
    take_turns(turns, rounds=2)
    for name in _SETTINGS:
        chapter.targets += at_least(f"jobs: rate to that of {name}", 1, rate.ratio("rate", MUSTER, name))
    chapter.targets += at_most("jobs: picked up by an idle worker, p50", 10, wait.median(MUSTER, "p50"), " ms")
    return chapter


async def _ours(rate: Match, wait: Match, count: int, picked: int) -> None:
    async with trials.trial() as one:
        rate.add(MUSTER, await trials.rate(one, count))
        wait.add(MUSTER, await trials.pick_up(one, picked))


def _theirs(folder: Path, node: Path, rate: Match, wait: Match, name: str, count: int, picked: int) -> None:
    with redis(folder, _SETTINGS[name]) as server:
        command = [str(node), str(folder / "peer" / "jobs.mjs")]
        subprocess.run([*command, "fill", server.url, str(count)], check=True, timeout=_PATIENCE_SECONDS)
        before = cpu_of([server.process])
        work = [*command, "work", server.url]
        worked = subprocess.run(
            [*work, str(count), str(_AT_ONCE)], stdout=subprocess.PIPE, check=True, timeout=_PATIENCE_SECONDS
        )
        told, store = json.loads(worked.stdout), cpu_of([server.process]) - before
        each = 1000 / count
        rate.add(name, {"rate": count / told["seconds"], "worker": told["cpu"] * each, "store": store * each})
        with subprocess.Popen([*work, str(picked), str(_AT_ONCE)], stdout=subprocess.PIPE) as idle:
            try:
                subprocess.run([*command, "ask", server.url, str(picked)], check=True, timeout=_PATIENCE_SECONDS)
                waits = json.loads(idle.communicate(timeout=_PATIENCE_SECONDS)[0])["waits"]
            finally:
                idle.kill()
        wait.add(name, trials.of_waits(waits))


async def _on_a_trial(run: Callable[[trials.Trial, int], Awaitable[None]], count: int) -> None:
    async with trials.trial() as one:
        await run(one, count)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["work", url]:
            uvloop.run(trials.work(url))
        case ["fair", count]:
            uvloop.run(_on_a_trial(trials.fair, int(count)))
        case ["lose", count]:
            uvloop.run(_on_a_trial(trials.lose, int(count)))
        case _:
            program("jobs", __doc__, measure)
