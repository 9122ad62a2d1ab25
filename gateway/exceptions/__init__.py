"""Errors of the gateway; every one reaches the client as a problem document.

    shared.problem.SpeechgateError
    ├── BadRequest
    │   ├── PasswordWeak         422 weak_password
    │   ├── BadHeader            400 bad_header
    │   └── BadPath              400 bad_path
    ├── Unauthenticated
    │   ├── CredentialRefused    401 key_missing | key_malformed | key_unknown | key_revoked
    │   │                            | key_expired | token_invalid | token_expired
    │   │                            | session_revoked | ticket_invalid
    │   └── LoginFailed          401 login_failed
    ├── Forbidden
    │   ├── NotAUser             403 not_a_user
    │   ├── OrganizationSuspended 403 organization_suspended
    │   ├── ScopeMissing         403 scope_missing
    │   ├── PermissionEscalation 403 permission_escalation
    │   └── QuotaEscalation      403 quota_escalation
    ├── NotFound
    │   ├── FlagNotFound         404 not_found
    │   ├── CallNotFound         404 call_not_found
    │   └── NoSuchMoment         404 moment_not_found
    ├── MethodNotAllowed         405 method_not_allowed
    ├── UpgradeRequired          426 upgrade_required
    ├── Conflict                 409 key_not_active
    │   ├── CallNotAnalyzed      409 call_not_analyzed
    │   ├── NameTaken            409 name_taken
    │   ├── EmailTaken           409 email_taken
    │   ├── PlanInUse            409 plan_in_use
    │   └── LastAdmin            409 last_admin
    ├── StepFailed               as the service says: a step of a composed request
    ├── RateLimited
    │   ├── LoginThrottled       429 login_throttled
    │   ├── QuotaExceeded        429 rate_limited
    │   └── ConcurrencyExceeded  429 concurrency_exceeded
    └── Unavailable
        ├── AuthUnavailable      503 auth_unavailable
        ├── DatabaseUnreachable  503 database_unavailable
        ├── FlagsUnavailable     503 flags_unavailable
        ├── LimitsUnavailable    503 limits_unavailable
        ├── Overloaded           503 overloaded
        ├── RouteClosed          503 route_closed
        ├── UpstreamUnavailable  503 upstream_unavailable
        └── DeadlineExceeded     504 upstream_timeout

`RedisUnavailable` stays inside: a fallback or one of the above follows.
"""

from gateway.exceptions.accounts import (
    Conflict,
    CredentialRefused,
    EmailTaken,
    LastAdmin,
    LoginFailed,
    LoginThrottled,
    NameTaken,
    NotAUser,
    OrganizationSuspended,
    PasswordWeak,
    PermissionEscalation,
    PlanInUse,
    QuotaEscalation,
    ScopeMissing,
)
from gateway.exceptions.calls import CallNotAnalyzed, CallNotFound, NoSuchMoment
from gateway.exceptions.outages import (
    AuthUnavailable,
    DatabaseUnreachable,
    FlagNotFound,
    FlagsUnavailable,
    LimitsUnavailable,
    Overloaded,
    RedisUnavailable,
    RouteClosed,
    UpstreamUnavailable,
)
from gateway.exceptions.requests import (
    BadHeader,
    BadPath,
    ConcurrencyExceeded,
    MethodNotAllowed,
    QuotaExceeded,
    UpgradeRequired,
)
from gateway.exceptions.steps import StepFailed

__all__ = [
    "AuthUnavailable",
    "BadHeader",
    "BadPath",
    "CallNotAnalyzed",
    "CallNotFound",
    "ConcurrencyExceeded",
    "Conflict",
    "CredentialRefused",
    "DatabaseUnreachable",
    "EmailTaken",
    "FlagNotFound",
    "FlagsUnavailable",
    "LastAdmin",
    "LimitsUnavailable",
    "LoginFailed",
    "LoginThrottled",
    "MethodNotAllowed",
    "NameTaken",
    "NoSuchMoment",
    "NotAUser",
    "OrganizationSuspended",
    "Overloaded",
    "PasswordWeak",
    "PermissionEscalation",
    "PlanInUse",
    "QuotaEscalation",
    "QuotaExceeded",
    "RedisUnavailable",
    "RouteClosed",
    "ScopeMissing",
    "StepFailed",
    "UpgradeRequired",
    "UpstreamUnavailable",
]
