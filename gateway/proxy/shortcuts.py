"""Which connections get a short cut."""

from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.proxy.express import Express
from gateway.proxy.head import RequestHead
from gateway.proxy.parts import ProxyContext
from gateway.proxy.repeat import repeat_of
from gateway.server.connection import HttpConnection
from gateway.server.request import Request

_MAX_STRANGERS = 4


def shortcut_for(
    context: ProxyContext, request: Request, route: Route, principal: Principal, head: RequestHead
) -> Express | None:
    """For the requests that follow one that was answered; None where it does not pay.

    A client whose heads are never the same, since it names each request itself, is left alone.
    """
    channel = request.channel
    if (
        not request.keep_alive
        or not isinstance(channel, HttpConnection)
        or channel.strangers >= _MAX_STRANGERS
    ):
        return None
    repeat = repeat_of(context, request, route, principal, head)
    return None if repeat is None else Express(context, channel, repeat)
