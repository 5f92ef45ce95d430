"""A name server on the loopback, which answers over UDP what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Holds TXT records by name, without a dot at its end. silent: it answers with failures. asked: how often."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    silent: bool = False
    asked: int = 0
    address: str = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # The transports of asyncio are no subclasses of what they are described by.
        self._transport = cast("asyncio.DatagramTransport", transport)
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a question."""
        self.asked += 1
        asked = dns.message.from_wire(data)
        answer = dns.message.make_response(asked)
        answer.flags |= dns.flags.RA
        name = asked.question[0].name
        texts = self.texts.get(name.to_text(omit_final_dot=True).lower())
        if self.silent:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            quoted = [f'"{text}"' for text in texts]
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", dns.rdatatype.TXT, quoted))
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """A name server meanwhile."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
