"""A name server on loopback whose records a test changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """Answers from `records`: texts by name and type; a name of which it has nothing is unknown."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.ttl = 1
        self.asked = 0
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.asked += 1
        if self.silent:
            return
        query = dns.message.from_wire(data)
        question = query.question[0]
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype
        texts = self.records.get((name, dns.rdatatype.to_text(kind)))
        if texts:
            answer.answer.append(
                dns.rrset.from_text_list(question.name, self.ttl, "IN", kind, texts)
            )
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)

    def resolver(self) -> dns.asyncresolver.Resolver:
        """One that asks nobody else."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        host, resolver.port = self.transport.get_extra_info("sockname")
        resolver.nameservers = [host]
        return resolver


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
