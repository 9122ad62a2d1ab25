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


class Spread:
    """Durations of one label set.

    Attributes:
        buckets: By the first bound that a duration does not exceed; the last one has no bound.
        seconds: Sum of durations.
    """

    __slots__ = ("_bounds", "buckets", "seconds")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Note a duration."""
        self.buckets[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        """The buckets as Prometheus counts them."""
        limits = (*(str(float(bound)) for bound in self._bounds), "+Inf")
        return list(zip(limits, accumulate(self.buckets), strict=True))


class Tally(Spread):
    """Requests of one label set.

    Attributes:
        counts: By status.
    """

    __slots__ = ("counts",)

    def __init__(self, bounds: Sequence[float]) -> None:
        super().__init__(bounds)
        self.counts: dict[int, int] = {}

    def add(self, status: int, seconds: float) -> None:
        """Count a request."""
        counts = self.counts
        counts[status] = counts.get(status, 0) + 1
        self.buckets[bisect_left(self._bounds, seconds)] += 1
        self.seconds += seconds


class Counts(Collector):
    """A counter with one label, whose values are known from the start.

    Args:
        name: Of the counter, without `_total`.
        described: What is counted.
        label: Name of the label.
        values: Of the label.

    Attributes:
        by: Counts by value, to be added to.
    """

    def __init__(self, name: str, described: str, label: str, values: Iterable[str]) -> None:
        self._name = name
        self._described = described
        self._label = label
        self.by = dict.fromkeys(values, 0)

    def collect(self) -> Iterator[Metric]:
        """The counter as it is now."""
        family = CounterMetricFamily(self._name, self._described, labels=[self._label])
        for value, count in self.by.items():
            family.add_metric([value], count)
        yield family


class Durations(Collector):
    """A histogram of durations by one label.

    Args:
        name: Of the histogram.
        described: What takes the time.
        label: Name of the label.
        bounds: Upper bounds of the buckets, in seconds.
    """

    def __init__(self, name: str, described: str, label: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._described = described
        self._label = label
        self._bounds = tuple(bounds)
        self._series: dict[str, Spread] = {}

    def series(self, value: str) -> Spread:
        """Of one value of the label; callers may keep it."""
        found = self._series.get(value)
        if found is None:
            found = self._series[value] = Spread(self._bounds)
        return found

    def collect(self) -> Iterator[Metric]:
        """The histogram as it is now."""
        family = HistogramMetricFamily(self._name, self._described, labels=[self._label])
        for value, series in self._series.items():
            family.add_metric([value], series.cumulative(), series.seconds)
        yield family


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
        for values, tally in self._tallies.items():
            for status, count in tally.counts.items():
                counter.add_metric([*values, str(status)], count)
            histogram.add_metric(values, tally.cumulative(), tally.seconds)
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
