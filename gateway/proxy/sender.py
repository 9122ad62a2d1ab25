"""Who sent a request, and what bounds its requests in flight."""

from collections.abc import Sequence

from gateway.models.limits import Cap
from gateway.models.principal import Principal
from gateway.proxy.head import RequestHead
from gateway.server.request import KnownSender, Request
from gateway.services.authentication import Authenticator


async def sender_of(authenticator: Authenticator, request: Request, head: RequestHead) -> Principal:
    """The sender by key or access token; cheap where the connection's last sender sends again.

    Raises:
        SpeechgateError: As `Authenticator.authenticate`.
    """
    channel = request.channel
    known, presented = channel.known, head.presented
    if known is None or known.presented != presented:
        credential = head.credential()
        known = KnownSender(presented, credential, authenticator.digest(credential))
        channel.known = known
    found = authenticator.cached(known.digest, known.credential)
    return found or await authenticator.authenticate(known.credential)


def caps_of(principal: Principal) -> Sequence[Cap]:
    """The bounds on a sender's requests in flight."""
    per_key, per_tenant = principal.concurrency
    if per_key is None and per_tenant is None:
        return ()
    identity = principal.identity
    caps = []
    if per_key is not None:
        caps.append(Cap("key", identity.subject, per_key))
    if per_tenant is not None:
        caps.append(Cap("tenant", identity.tenant_id, per_tenant))
    return caps
