"""Whom a request came from, when it came through proxies that say so."""

import ipaddress
import re
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([0-9.]+):\d+")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks and single addresses, separated by commas.

    Raises:
        ValueError: One is neither.
    """
    return tuple(ipaddress.ip_network(part) for part in map(str.strip, text.split(",")) if part)


class TrustedProxies:
    """Proxies whose `X-Forwarded-For` is believed.

    Args:
        networks: That they are in; with none, nobody is believed.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address that no trusted proxy has.

        Each proxy appends whom it heard from, so that the list is read from its end, as far as
        those who wrote it are trusted; what a client put in front of it decides nothing.

        Args:
            peer: The other side of the connection.
            forwarded: The values of `X-Forwarded-For`, in their order.
        """
        hops = [hop for line in forwarded for hop in line.split(",")] if self._networks else []
        address = _parse(peer)
        while address is not None and hops and self._trusts(address):
            before = _parse(hops.pop())
            if before is None:
                break
            address = before
        return peer if address is None else str(address)

    def _trusts(self, address: Address) -> bool:
        return any(address.version == one.version and address in one for one in self._networks)


def _parse(text: str) -> Address | None:
    written = text.strip()
    port = _WITH_PORT.fullmatch(written)
    try:
        address = ipaddress.ip_address((port[1] or port[2]) if port else written)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
