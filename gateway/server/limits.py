"""Bounds of a connection in size and time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a client may take.

    Attributes:
        max_connections: More are closed at once.
        max_head_bytes: Request line and header fields.
        max_fields: Header fields.
        head_timeout_s: From the first moment (or byte) of a request to the end of its head.
        idle_timeout_s: Between requests; longer than what clients' pools keep, so they close first.
        receive_timeout_s: Without any byte of a body.
        body_grace_s: After which a body must have kept to `min_body_rate`.
        min_body_rate: Bytes per second.
        send_timeout_s: Without the client reading any byte of an answer that waits for it.
        linger_s: For a client that still sends a body whose request was refused.
        linger_bytes: Likewise.
    """

    max_connections: int = 16_384
    max_head_bytes: int = 32 * 1024
    max_fields: int = 100
    head_timeout_s: float = 10.0
    idle_timeout_s: float = 75.0
    receive_timeout_s: float = 30.0
    body_grace_s: float = 10.0
    min_body_rate: int = 512
    send_timeout_s: float = 30.0
    linger_s: float = 2.0
    linger_bytes: int = 64 * 1024 * 1024
