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

MAX_PLANS = 32
OTHER_PLAN = "other"


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

    def include(self, other: "Spread") -> None:
        """Add what another one of the same bounds has noted."""
        self.buckets = [own + more for own, more in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds

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

    def add_like(self, other: "Tally", status: int, seconds: float) -> None:
        """Count a request here and in another one of the same bounds."""
        bucket = bisect_left(self._bounds, seconds)
        for each in (self, other):
            counts = each.counts
            counts[status] = counts.get(status, 0) + 1
            each.buckets[bucket] += 1
            each.seconds += seconds

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


class _Plans:
    """Labels of plans: operators make as many as they like, and series are to stay few."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def label(self, plan: str | None) -> str:
        """A plan's name; `other` beyond the first ones, nothing where nobody knows it."""
        if plan is None or plan in self._seen:
            return plan or ""
        if len(self._seen) >= MAX_PLANS:
            return OTHER_PLAN
        self._seen.add(plan)
        return plan


class RequestTallies(Collector):
    """A counter by labels and status, and a histogram by labels.

    Args:
        counter: Name of the counter, without `_total`.
        histogram: Name of the histogram.
        described: What is counted.
        labels: Names.
        bounds: Upper bounds of the histogram's buckets, in seconds.
        by_plan: Whether the counter has the senders' plan as a label. The histogram has not: its
            buckets for each plan would be twenty times as many series.
    """

    def __init__(
        self,
        counter: str,
        histogram: str,
        described: str,
        labels: Sequence[str],
        bounds: Sequence[float],
        *,
        by_plan: bool = False,
    ) -> None:
        self._counter = counter
        self._histogram = histogram
        self._described = described
        self._labels = tuple(labels)
        self._bounds = tuple(bounds)
        self._plans = _Plans() if by_plan else None
        self._tallies: dict[tuple[str, ...], dict[str, Tally]] = {}

    def tally(self, *values: str, plan: str | None = None) -> Tally:
        """Of one label set; callers may keep it.

        Args:
            values: Of the labels.
            plan: Of the sender; None where nobody knows it.
        """
        named = self._plans.label(plan) if self._plans is not None else ""
        by_plan = self._tallies.get(values)
        if by_plan is None:
            by_plan = self._tallies[values] = {}
        found = by_plan.get(named)
        if found is None:
            found = by_plan[named] = Tally(self._bounds)
        return found

    def describe(self) -> Iterable[Metric]:
        """The families without samples."""
        return self._families()

    def collect(self) -> Iterator[Metric]:
        """The families as they are now."""
        counter, histogram = self._families()
        for values, by_plan in self._tallies.items():
            whole = Spread(self._bounds)
            for plan, tally in by_plan.items():
                own = () if self._plans is None else (plan,)
                for status, count in tally.counts.items():
                    counter.add_metric([*values, *own, str(status)], count)
                whole.include(tally)
            histogram.add_metric(values, whole.cumulative(), whole.seconds)
        yield counter
        yield histogram

    def _families(self) -> tuple[CounterMetricFamily, HistogramMetricFamily]:
        return (
            CounterMetricFamily(
                self._counter,
                f"{self._described}: finished",
                labels=[*self._labels, *(() if self._plans is None else ("plan",)), "status"],
            ),
            HistogramMetricFamily(
                self._histogram,
                f"{self._described}: time from the head to the end of the answer",
                labels=self._labels,
            ),
        )
