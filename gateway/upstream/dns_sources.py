"""Replicas by name: A, AAAA and SRV records."""

import dns.asyncresolver
import dns.rdatatype

from gateway.upstream.sources import MIN_WAIT_S, Found

_LOOKUP_TIMEOUT_S = 3.0


class DnsSource:
    """The addresses of a name: A records, or AAAA records where there are none.

    Not both: the two addresses of one replica would count as two replicas.
    """

    def __init__(
        self, host: str, port: int, resolver: dns.asyncresolver.Resolver | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._resolver = resolver or dns.asyncresolver.Resolver()

    async def look_up(self) -> Found:
        """See `ReplicaSource`."""
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            answer = await self._resolver.resolve(
                self._host, kind, raise_on_no_answer=False, lifetime=_LOOKUP_TIMEOUT_S
            )
            if answer.rrset is not None:
                hosts = sorted(record.address for record in answer.rrset)
                if kind == dns.rdatatype.AAAA:
                    hosts = [f"[{host}]" for host in hosts]
                return Found([f"http://{host}:{self._port}" for host in hosts], answer.rrset.ttl)
        return Found((), MIN_WAIT_S)


class SrvSource:
    """SRV records (RFC 2782): the targets of the best priority; weights are not read."""

    def __init__(self, name: str, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._name = name
        self._resolver = resolver or dns.asyncresolver.Resolver()

    async def look_up(self) -> Found:
        """See `ReplicaSource`."""
        answer = await self._resolver.resolve(
            self._name, dns.rdatatype.SRV, raise_on_no_answer=False, lifetime=_LOOKUP_TIMEOUT_S
        )
        if answer.rrset is None:
            return Found((), MIN_WAIT_S)
        best = min(record.priority for record in answer.rrset)
        urls = {
            f"http://{record.target.to_text(omit_final_dot=True)}:{record.port}"
            for record in answer.rrset
            if record.priority == best
        }
        return Found(sorted(urls), answer.rrset.ttl)
