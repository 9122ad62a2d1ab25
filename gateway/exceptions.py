"""Errors of the gateway; every one reaches the client as a problem document.

    shared.problem.SpeechgateError
    ├── BadRequest
    │   ├── BadHeader            400 bad_header
    │   └── BadPath              400 bad_path
    ├── Unauthenticated
    │   └── CredentialRefused    401 key_missing | key_malformed | key_unknown | key_revoked
    │                                | key_expired
    ├── Forbidden
    │   └── ScopeMissing         403 scope_missing
    ├── MethodNotAllowed         405 method_not_allowed
    ├── RateLimited
    │   └── QuotaExceeded        429 rate_limited
    └── Unavailable
        ├── AuthUnavailable      503 auth_unavailable
        ├── UpstreamUnavailable  503 upstream_unavailable
        └── DeadlineExceeded     504 upstream_timeout

`DatabaseUnreachable` and `RedisUnavailable` stay inside: a fallback or one of the above follows.
"""

from collections.abc import Iterable, Sequence

from shared.problem import (
    BadRequest,
    Forbidden,
    RateLimited,
    SpeechgateError,
    Unauthenticated,
    Unavailable,
)


class BadHeader(BadRequest):
    """A header that two parsers could read differently (RFC 9112 §11.2), or a forbidden name."""

    default_code = "bad_header"


class BadPath(BadRequest):
    """A path that two parsers could resolve differently."""

    default_code = "bad_path"


class CredentialRefused(Unauthenticated):
    """The key is absent, malformed, unknown, revoked or expired; `code` says which."""

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail, code=code)
        challenge = 'Bearer realm="speechgate"'
        if code != "key_missing":
            challenge += ', error="invalid_token"'  # RFC 6750 §3.1
        self.headers["WWW-Authenticate"] = challenge


class ScopeMissing(Forbidden):
    """The key is valid but may not do this."""

    default_code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        self.headers["WWW-Authenticate"] = (
            f'Bearer realm="speechgate", error="insufficient_scope", scope="{scope}"'
        )


class MethodNotAllowed(SpeechgateError):
    """The path exists; `Allow` lists its methods."""

    status = 405
    title = "Method not allowed"
    default_code = "method_not_allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        methods = ", ".join(sorted(allowed))
        super().__init__(f"Use one of: {methods}.", headers={"Allow": methods})


class QuotaExceeded(RateLimited):
    """One or more windows of the key are full."""

    def __init__(self, violated: Sequence[str], retry_after_s: int) -> None:
        super().__init__(
            f"The quota of requests per {violated[0]} is used up.",
            headers={"Retry-After": str(retry_after_s)},
            members={"violated-policies": list(violated)},
        )


class AuthUnavailable(Unavailable):
    """The key cannot be checked now: neither a cache nor the database knows it."""

    default_code = "auth_unavailable"


class UpstreamUnavailable(Unavailable):
    """No replica of the service takes the request."""

    default_code = "upstream_unavailable"


class DatabaseUnreachable(Exception):
    """The database does not answer."""


class RedisUnavailable(Exception):
    """Redis does not answer; the caller falls back."""
