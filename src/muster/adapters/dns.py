"""DNS: which texts a name holds, asked of the name servers of this deployment."""

import dns.asyncresolver
import dns.exception
import dns.resolver

from muster.settings import Settings

_PATIENCE = 5.0
"""Seconds for all tries together."""
_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


class NotAnswered(Exception):
    """No name server gave an answer that can be trusted to be one: it may come later."""


async def texts_of(settings: Settings, name: str) -> frozenset[str]:
    """The TXT records of a name; none where there is no such name. Raises NotAnswered.

    name: in ASCII, without a dot at its end.
    """
    resolver = _resolver(settings)
    try:
        answer = await resolver.resolve(f"{name}.", "TXT", lifetime=_PATIENCE)
    except _NOTHING:
        return frozenset()
    except dns.exception.DNSException as error:
        raise NotAnswered(f"{name}: {type(error).__name__}") from error
    return frozenset(b"".join(record.strings).decode("ascii", "replace") for record in answer)


def _resolver(settings: Settings) -> dns.asyncresolver.Resolver:
    server = settings.communities.name_server
    try:
        resolver = dns.asyncresolver.Resolver(configure=server is None)
    except dns.resolver.NoResolverConfiguration as error:
        raise NotAnswered("this machine names no DNS server; set MUSTER_DNS_SERVER") from error
    if server is not None:
        resolver.nameservers = [server.host]
        resolver.port = server.port
    # What a proof needs is what is there now, and not what was there an hour ago.
    resolver.cache = None
    return resolver
