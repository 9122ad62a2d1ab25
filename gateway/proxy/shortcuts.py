"""Which connections get a short cut."""

from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.proxy.express import Express
from gateway.proxy.head import RequestHead
from gateway.proxy.known_heads import key_of
from gateway.proxy.parts import ProxyContext
from gateway.proxy.repeat import parts_of, repeat_of
from gateway.server.channel import ClientChannel
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
    key = key_of(channel, parts_of(request.raw_head))
    repeat = context.heads.get(key)
    if repeat is None or repeat.principal is not principal:
        repeat = repeat_of(context, request, route, principal, head)
        if repeat is None:
            return None
        context.heads.put(key, repeat)
    return Express(context, channel, repeat)


def recognized(context: ProxyContext, channel: ClientChannel, data: bytes) -> Express | None:
    """For a new connection whose first request is like one that was answered on another.

    Args:
        context: What the proxied path works with.
        channel: The new connection.
        data: All that came.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0 or not isinstance(channel, HttpConnection):
        return None
    repeat = context.heads.get(key_of(channel, parts_of(data[: end + 4])))
    return None if repeat is None else Express(context, channel, repeat)
