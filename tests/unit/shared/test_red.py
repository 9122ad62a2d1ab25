from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from shared.red import RequestTallies

BOUNDS = (0.001, 0.01, 0.1, 1.0)
EVENT = st.tuples(
    st.sampled_from(["/a", "/b"]),
    st.sampled_from([200, 404, 503]),
    st.one_of(st.sampled_from(BOUNDS), st.floats(0, 5, allow_nan=False)),
)


def samples(registry: CollectorRegistry) -> dict[str, float]:
    found = {}
    for line in generate_latest(registry).decode().splitlines():
        if not line.startswith("#") and "_created" not in line:
            series, _, value = line.rpartition(" ")
            found[series] = round(float(value), 6)
    return found


@given(st.lists(EVENT, max_size=40))
def test_the_exposition_is_that_of_the_librarys_own_counter_and_histogram(
    events: list[tuple[str, int, float]],
) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tallies = RequestTallies("requests", "seconds", "Requests", ["route"], BOUNDS)
    ours.register(tallies)
    counter = Counter("requests", "x", ["route", "status"], registry=theirs)
    histogram = Histogram("seconds", "x", ["route"], buckets=BOUNDS, registry=theirs)
    for route, status, seconds in events:
        tallies.tally(route).add(status, seconds)
        counter.labels(route, str(status)).inc()
        histogram.labels(route).observe(seconds)
    assert samples(ours) == samples(theirs)
