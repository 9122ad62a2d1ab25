"""Rate, errors and duration of requests, counted in plain integers.

A counter and a histogram of prometheus_client take a lock each and cost a request several
microseconds; an event loop needs no lock. The series are made when they are scraped.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class Tally:
    """Requests of one label set.

    Attributes:
        counts: By status.
        buckets: By the first bound that a duration does not exceed; the last one has no bound.
        seconds: Sum of durations.
    """

    __slots__ = ("_bounds", "buckets", "counts", "seconds")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts: dict[int, int] = {}
        self.buckets = [0] * (len(bounds) + 1)
        self.seconds = 0.0

    def add(self, status: int, seconds: float) -> None:
        """Count a request."""
        counts = self.counts
        counts[status] = counts.get(status, 0) + 1
        self.buckets[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds


class RequestTallies(Collector):
    """A counter by labels and status, and a histogram by labels.

    Args:
        counter: Name of the counter, without `_total`.
        histogram: Name of the histogram.
        described: What is counted.
        labels: Names.
        bounds: Upper bounds of the histogram's buckets, in seconds.
    """

    def __init__(
        self,
        counter: str,
        histogram: str,
        described: str,
        labels: Sequence[str],
        bounds: Sequence[float],
    ) -> None:
        self._counter = counter
        self._histogram = histogram
        self._described = described
        self._labels = tuple(labels)
        self._bounds = tuple(bounds)
        self._tallies: dict[tuple[str, ...], Tally] = {}

    def tally(self, *values: str) -> Tally:
        """Of one label set; callers may keep it."""
        found = self._tallies.get(values)
        if found is None:
            found = self._tallies[values] = Tally(self._bounds)
        return found

    def describe(self) -> Iterable[Metric]:
        """The families without samples."""
        return self._families()

    def collect(self) -> Iterator[Metric]:
        """The families as they are now."""
        counter, histogram = self._families()
        limits = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for values, tally in self._tallies.items():
            for status, count in tally.counts.items():
                counter.add_metric([*values, str(status)], count)
            buckets = list(zip(limits, accumulate(tally.buckets), strict=True))
            histogram.add_metric(values, buckets, tally.seconds)
        yield counter
        yield histogram

    def _families(self) -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        return (
            CounterMetricFamily(
                self._counter, f"{self._described}: finished", labels=[*self._labels, "status"]
            ),
            HistogramMetricFamily(
                self._histogram,
                f"{self._described}: time from the head to the end of the answer",
                labels=self._labels,
            ),
        )
