"""Every metric with its labels and meaning, as the code declares them, in docs/operations/metrics.md.

With --write it is written down; without, it is compared, and the exit code is 1 where they differ.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from muster.kit import metrics
from muster.kit.tally import Tally, Uses

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "operations" / "metrics.md"
HEAD = """# Metrics

Written from `src/muster/kit/metrics.py` by `make metrics`. Besides these there are `process_*` and `python_gc_*`, as every
program with the Prometheus client has them.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
"""


def table() -> str:
    """The document."""
    return HEAD + "".join(sorted(chain.from_iterable(lines(each) for each in vars(metrics).values())))


def lines(declared: object) -> Iterator[str]:
    """The rows of what is declared: one for a metric, two for a tally, none for anything else."""
    if isinstance(declared, MetricWrapperBase):
        (family,) = declared.describe()
        yield line(family, declared._labelnames)
    elif isinstance(declared, Tally | Uses):
        yield from (line(family, family._labelnames) for family in declared.collect())


def line(family: Metric, labels: Iterable[str]) -> str:
    """The row of one metric, by the name that Prometheus knows."""
    name = family.name + "_total" * (family.type == "counter")
    written = ", ".join(f"`{label}`" for label in labels)
    return f"| `{name}` | {family.type} | {written} | {family.documentation} |\n"


def main() -> None:
    """Write the document down, or say that it is not as the code has it."""
    if "--write" in sys.argv:
        DOCUMENT.write_text(table())
    elif DOCUMENT.read_text() != table():
        sys.exit("docs/operations/metrics.md is not what the code measures: run `make metrics`.")
    else:
        print(f"metrics: {table().count(chr(10)) - HEAD.count(chr(10))} are explained as the code has them")


if __name__ == "__main__":
    main()
