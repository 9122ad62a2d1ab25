"""Who sent a request and how to find it again, as domain code sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request.

    Attributes:
        tenant_id: Owner of every row the request makes.
        subject: Id of the API key or user.
        request_id: Joins log lines and rows.
        trace_id: W3C trace id.
        preferred_model: The gateway's choice, see `shared.serving`; None leaves the default.
        models: Models that the sender may use; None is any.
    """

    tenant_id: str
    subject: str
    request_id: str
    trace_id: str
    preferred_model: str | None = None
    models: frozenset[str] | None = None
