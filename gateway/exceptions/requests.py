"""What is wrong with a request, or there is too much of."""

from collections.abc import Iterable, Sequence

from shared.problem import BadRequest, RateLimited, SpeechgateError


class BadHeader(BadRequest):
    """A header that two parsers could read differently (RFC 9112 §11.2), or a forbidden name."""

    default_code = "bad_header"


class BadPath(BadRequest):
    """A path that two parsers could resolve differently."""

    default_code = "bad_path"


class MethodNotAllowed(SpeechgateError):
    """The path exists; `Allow` lists its methods."""

    status = 405
    title = "Method not allowed"
    default_code = "method_not_allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        methods = ", ".join(sorted(allowed))
        super().__init__(f"Use one of: {methods}.", headers={"Allow": methods})


class UpgradeRequired(SpeechgateError):
    """The path speaks WebSocket only."""

    status = 426
    title = "Upgrade required"
    default_code = "upgrade_required"

    def __init__(self) -> None:
        super().__init__(
            "This path speaks WebSocket only.",
            headers={"Upgrade": "websocket", "Connection": "Upgrade"},
        )


class QuotaExceeded(RateLimited):
    """One or more windows of the key are full."""

    def __init__(self, violated: Sequence[str], retry_after_s: int) -> None:
        super().__init__(
            f"The quota of requests per {violated[0]} is used up.",
            headers={"Retry-After": str(retry_after_s)},
            members={"violated-policies": list(violated)},
        )


class ConcurrencyExceeded(RateLimited):
    """A key or tenant has as many requests in flight as it may."""

    default_code = "concurrency_exceeded"

    def __init__(self, cap: str) -> None:
        super().__init__(
            f"This {cap} has as many requests in flight as it may.",
            headers={"Retry-After": "1"},
            members={"violated-policies": [f"concurrency-{cap}"]},
        )
