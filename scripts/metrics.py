"""Every metric with its labels and meaning, as the code declares them, in docs/operations/metrics.md.

With --write it is written down; without, it is compared, and the exit code is 1 where they differ.
"""

import sys
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from muster.kit import metrics

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "operations" / "metrics.md"
HEAD = """# Metrics

Written from `src/muster/kit/metrics.py` by `make metrics`. Besides these there are `process_*` and `python_gc_*`, as every
program with the Prometheus client has them.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
"""


def table() -> str:
    """The document."""
    declared = sorted((each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)), key=shown)
    return HEAD + "".join(map(line, declared))


def shown(metric: MetricWrapperBase) -> str:
    """The name that Prometheus knows."""
    (family,) = metric.describe()
    return family.name + "_total" * (family.type == "counter")


def line(metric: MetricWrapperBase) -> str:
    """The row of one metric."""
    (family,) = metric.describe()
    labels = ", ".join(f"`{name}`" for name in metric._labelnames)
    return f"| `{shown(metric)}` | {family.type} | {labels} | {family.documentation} |\n"


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
