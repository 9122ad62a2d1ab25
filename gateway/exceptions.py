"""Errors of the gateway; every one reaches the client as a problem document.

    shared.problem.SpeechgateError
    ├── BadRequest
    │   ├── BadHeader            400 bad_header
    │   └── BadPath              400 bad_path
    ├── Unauthenticated
    │   └── CredentialRefused    401 key_missing | key_malformed | key_unknown | key_revoked
    │                                | key_expired
    ├── Forbidden
    │   ├── ScopeMissing         403 scope_missing
    │   ├── PermissionEscalation 403 permission_escalation
    │   └── QuotaEscalation      403 quota_escalation
    ├── NotFound
    │   └── FlagNotFound         404 not_found
    ├── MethodNotAllowed         405 method_not_allowed
    ├── UpgradeRequired          426 upgrade_required
    ├── Conflict                 409 key_not_active
    │   ├── NameTaken            409 name_taken
    │   ├── EmailTaken           409 email_taken
    │   ├── PlanInUse            409 plan_in_use
    │   └── LastAdmin            409 last_admin
    ├── RateLimited
    │   ├── QuotaExceeded        429 rate_limited
    │   └── ConcurrencyExceeded  429 concurrency_exceeded
    └── Unavailable
        ├── AuthUnavailable      503 auth_unavailable
        ├── FlagsUnavailable     503 flags_unavailable
        ├── LimitsUnavailable    503 limits_unavailable
        ├── Overloaded           503 overloaded
        ├── RouteClosed          503 route_closed
        ├── UpstreamUnavailable  503 upstream_unavailable
        └── DeadlineExceeded     504 upstream_timeout

`DatabaseUnreachable` and `RedisUnavailable` stay inside: a fallback or one of the above follows.
"""

from collections.abc import Iterable, Sequence

from shared.problem import (
    BadRequest,
    Forbidden,
    InvalidField,
    NotFound,
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


class LoginFailed(Unauthenticated):
    """E-mail address and password do not belong together; which of them is wrong is not said."""

    default_code = "login_failed"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class LoginThrottled(RateLimited):
    """Too many logins of one account, or from one address."""

    default_code = "login_throttled"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "Too many logins; try again later.", headers={"Retry-After": str(retry_after_s)}
        )


class NotAUser(Forbidden):
    """Only a user who logged in with a password may do this."""

    default_code = "not_a_user"

    def __init__(self) -> None:
        super().__init__("This is for users who logged in, not for API keys.")


class ScopeMissing(Forbidden):
    """The key is valid but may not do this."""

    default_code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        self.headers["WWW-Authenticate"] = (
            f'Bearer realm="speechgate", error="insufficient_scope", scope="{scope}"'
        )


class OrganizationSuspended(Forbidden):
    """Nobody of the organization may do anything."""

    default_code = "organization_suspended"

    def __init__(self) -> None:
        super().__init__("The organization is suspended.")


class PermissionEscalation(Forbidden):
    """Somebody would grant, or take over, more than they hold themselves."""

    default_code = "permission_escalation"


class QuotaEscalation(Forbidden):
    """A key would have more than its organization's plan gives each key."""

    default_code = "quota_escalation"


class Conflict(SpeechgateError):
    """What is stored does not allow it."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


class NameTaken(Conflict):
    """A name is unique and somebody has it."""

    default_code = "name_taken"


class EmailTaken(Conflict):
    """An address belongs to one user of the installation."""

    default_code = "email_taken"

    def __init__(self) -> None:
        super().__init__("A user with this e-mail address exists.")


class PlanInUse(Conflict):
    """An organization has the plan."""

    default_code = "plan_in_use"

    def __init__(self) -> None:
        super().__init__("An organization has this plan; give it another one first.")


class LastAdmin(Conflict):
    """Nobody could administer the platform any more."""

    default_code = "last_admin"

    def __init__(self) -> None:
        super().__init__("This would leave the platform without an administrator.")


class PasswordWeak(InvalidField):
    """The password would be guessed."""

    default_code = "weak_password"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, pointer="/password")


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


class AuthUnavailable(Unavailable):
    """The key cannot be checked now: neither a cache nor the database knows it."""

    default_code = "auth_unavailable"


class LimitsUnavailable(Unavailable):
    """The limits cannot be checked now, and the route serves nothing without them."""

    default_code = "limits_unavailable"

    def __init__(self) -> None:
        super().__init__("Limits cannot be checked at the moment; try again.")


class FlagsUnavailable(Unavailable):
    """The source of the feature flags does not answer; the last known flags stay in use."""

    default_code = "flags_unavailable"


class FlagNotFound(NotFound):
    """No flag has this name."""

    def __init__(self) -> None:
        super().__init__("No such flag.")


class Overloaded(Unavailable):
    """This process has too much to do for a request of this priority."""

    default_code = "overloaded"

    def __init__(self) -> None:
        super().__init__("The gateway has too much to do; try again.")


class RouteClosed(Unavailable):
    """An operator has closed the route with its kill switch."""

    default_code = "route_closed"

    def __init__(self) -> None:
        super().__init__("This operation is switched off at the moment.", retry_after_s=30)


class UpstreamUnavailable(Unavailable):
    """No replica of the service takes the request."""

    default_code = "upstream_unavailable"


class DatabaseUnreachable(Exception):
    """The database does not answer."""


class RedisUnavailable(Exception):
    """Redis does not answer; the caller falls back."""
