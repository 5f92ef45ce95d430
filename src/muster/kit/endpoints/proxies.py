"""Whose request it is behind proxies: their word is taken only where a setting names them."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import HTTPConnection

Network = IPv4Network | IPv6Network
Proxies = Sequence[Network]
"""The networks that trusted proxies stand in."""


def client_address(connection: HTTPConnection, proxies: Proxies) -> str | None:
    """The address of the client; None where there is none, as on a Unix socket.

    Read from the right, `X-Forwarded-For` is what each proxy saw: the first hop that is none of ours is the client, and
    what stands to its left anybody can have written.
    """
    if connection.client is None:
        return None
    address = connection.client.host
    if not proxies or not _is_among(address, proxies):
        return address
    hops = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    for hop in reversed(hops):
        seen = hop.strip()
        if not _is_address(seen):
            return address
        address = seen
        if not _is_among(address, proxies):
            return address
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_among(address: str, proxies: Proxies) -> bool:
    if not _is_address(address):
        return False
    found = ip_address(address)
    return any(found in network for network in proxies)
