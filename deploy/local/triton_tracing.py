"""How Triton is told to add its own spans to the services' traces."""

ENDPOINT = "SPEECHGATE_OTLP_ENDPOINT"
"""The variable that names the receiver, as for the product's own processes."""


def trace_arguments(endpoint: str | None) -> list[str]:
    """Arguments of the server; none without a receiver.

    Args:
        endpoint: Base URL of a receiver of OTLP over HTTP.
    """
    if not endpoint:
        return []
    settings = (
        "mode=opentelemetry",
        f"opentelemetry,url={endpoint.rstrip('/')}/v1/traces",
        "opentelemetry,resource=service.name=speechgate-triton",
        "level=TIMESTAMPS",
        # Only what a service asks for, by a `traceparent`: who is sampled was decided before.
        "rate=0",
        "count=-1",
    )
    return [f"--trace-config={setting}" for setting in settings]
