import pytest

from shared.tracing import request_context

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_continues_a_trace_with_a_span_of_its_own() -> None:
    context = request_context("req-1", PARENT)
    assert context.request_id == "req-1"
    assert context.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert context.traceparent.endswith("-01")
    assert context.span_id != "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        PARENT.upper(),
        PARENT + "\n",
        PARENT + "-extra",
        "ff" + PARENT[2:],
    ],
)
def test_starts_a_trace_when_there_is_none_to_continue(parent: str | None) -> None:
    context = request_context(None, parent)
    assert context.trace_id != "4bf92f3577b34da6a3ce929d0e0e4736"
    assert len(context.trace_id) == 32
    assert context.traceparent.endswith("-00")


@pytest.mark.parametrize("request_id", [None, "", "a" * 65, "with space", "line\nbreak", "é"])
def test_an_unfit_request_id_is_replaced(request_id: str | None) -> None:
    context = request_context(request_id, None)
    assert context.request_id != request_id
    assert len(context.request_id) == 32
