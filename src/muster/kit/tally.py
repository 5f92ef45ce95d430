"""Tallies: how often something happened and how long it took, for what happens thousands of times a second.

The library's own counters and histograms take a lock for each step, which was a tenth of what a request costs here. Only
the thread of the event loop counts a tally, and the library reads it when somebody asks.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class Tally(Collector):
    """A counter and a histogram of the same events. The histogram has the first labels of the counter.

    counter, durations: name and meaning of each. buckets: seconds, upwards.
    """

    def __init__(
        self,
        counter: tuple[str, str],
        durations: tuple[str, str],
        *,
        labels: Sequence[str],
        of_durations: int,
        buckets: Sequence[float],
    ) -> None:
        self._counter, self._durations = counter, durations
        self._labels, self._of_durations, self._buckets = labels, of_durations, buckets
        # By labels: all seconds together, then how many fell into each bucket and beyond the last.
        self._kept: dict[tuple[str, ...], list[float]] = {}

    def count(self, labels: tuple[str, ...], seconds: float) -> None:
        """Count one event."""
        row = self._kept.get(labels)
        if row is None:
            row = self._kept[labels] = [0.0] * (len(self._buckets) + 2)
        row[0] += seconds
        row[bisect_left(self._buckets, seconds) + 1] += 1

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """What was counted until now, as the library wants it."""
        counter = CounterMetricFamily(*self._counter, labels=self._labels)
        together: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0] * (len(self._buckets) + 2))
        for labels, row in self._kept.items():
            counter.add_metric(labels, sum(row[1:]))
            known = together[labels[: self._of_durations]]
            known[:] = [before + more for before, more in zip(known, row, strict=True)]
        yield counter
        histogram = HistogramMetricFamily(*self._durations, labels=self._labels[: self._of_durations])
        bounds = [*map(str, self._buckets), "+Inf"]
        for labels, row in together.items():
            histogram.add_metric(labels, list(zip(bounds, accumulate(row[1:]), strict=True)), row[0])
        yield histogram


_MOST_UNSUMMED = 1000


class Use:
    """Names that are always used together, and how often they were since that was summed."""

    __slots__ = ("count", "names")

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self.count = 0


class Uses(Collector):
    """A counter with one label, of which many values are counted by one step; they are told apart when somebody asks."""

    def __init__(self, name: str, meaning: str, label: str) -> None:
        self._name, self._meaning, self._label = name, meaning, label
        self._totals: Counter[str] = Counter()
        self._unsummed: list[Use] = []

    def count(self, use: Use) -> None:
        """Count one use of its names."""
        use.count += 1
        if use.count == 1:
            self._unsummed.append(use)
            if len(self._unsummed) == _MOST_UNSUMMED:
                self._sum()

    def _sum(self) -> None:
        for use in self._unsummed:
            self._totals.update(dict.fromkeys(use.names, use.count))
            use.count = 0
        self._unsummed.clear()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What was counted until now, as the library wants it."""
        self._sum()
        family = CounterMetricFamily(self._name, self._meaning, labels=[self._label])
        for name, count in sorted(self._totals.items()):
            family.add_metric([name], count)
        yield family
