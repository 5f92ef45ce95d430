"""The address of the shared store: what `REDIS_URL` holds."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

_SCHEMES = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}
_PORT = 6379


@dataclass(frozen=True)
class StoreAddress:
    """Where the store is, and who we are there.

    path: of a Unix socket; without one it is host and port, and with `tls` over TLS. number: of the database.
    """

    host: str
    port: int
    path: str
    tls: bool
    user: str
    password: str = field(repr=False)
    number: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read `redis://user:password@host:6379/0`, `rediss://...` for TLS, or `unix://:password@/path/of.sock?db=0`.

        Raises ValueError for anything else.
        """
        parts = urlsplit(url)
        user, password = unquote(parts.username or "default"), unquote(parts.password or "")
        if parts.scheme == "unix":
            number = parse_qs(parts.query, strict_parsing=bool(parts.query)).get("db", ["0"])[0]
            if not parts.path.strip("/"):
                raise ValueError("it names no socket")
            return cls("", 0, unquote(parts.path), False, user, password, _number(number))
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise ValueError("it is no address of a store")
        tls, number = _SCHEMES[parts.scheme], parts.path.strip("/") or "0"
        return cls(parts.hostname, parts.port or _PORT, "", tls, user, password, _number(number))

    def __str__(self) -> str:
        """Where it is, without any secret."""
        return self.path or f"{self.host}:{self.port}"

    @property
    def security(self) -> ssl.SSLContext | None:
        """How TLS is spoken: with certificates that the machine, or `SSL_CERT_FILE`, vouches for."""
        return ssl.create_default_context() if self.tls else None


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{text!r} is no number of a database")
    return int(text)
