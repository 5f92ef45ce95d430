"""Who comes with a key: read at the edge, before the gate asks whether it still lives."""

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from muster.access.keys import queries
from muster.access.keys.queries import COARSE
from muster.access.keys.rules import hash_of, read_key
from muster.kit.caller import Bearer, KeyNotFromHere, Permission
from muster.kit.db.database import Database
from muster.kit.errors import Unauthenticated

_REMEMBERED = 10_000


@dataclass
class _Known:
    """A key whose secret was right. Nothing of this changes in its life; whether it lives is not known from here.

    noted: when it was last noted that it is used.
    """

    bearer: Bearer
    networks: list[IPv4Network | IPv6Network]
    noted: datetime | None = None


class KeyRing:
    """Reads keys. One that was right is remembered, so that it costs one look-up and not one a request."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def bearer(self, text: str, address: str | None, now: datetime) -> Bearer:
        """Whose a key is, and where it is good.

        address: where they come from.
        Raises Unauthenticated for a key that is none, KeyNotFromHere.
        """
        mark = hash_of(text)
        known = self._known.get(mark) or await self._look_up(text)
        if known is None:
            raise Unauthenticated("This API key is not valid; make another.")
        self._known[mark] = known
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if known.networks and not _is_within(address, known.networks):
            raise KeyNotFromHere
        if known.noted is None or now - known.noted > COARSE:
            known.noted = now
            await self._note(known.bearer, now)
        return known.bearer

    async def _look_up(self, text: str) -> _Known | None:
        parts = read_key(text)
        if parts is None:
            return None
        async with self._database.transaction(parts.tenant_id) as tx:
            found = await queries.find_key(tx, parts.tenant_id, parts.key_id)
        # In constant time: how much of a guess was right must not show.
        if found is None or not hmac.compare_digest(found.hash, hash_of(parts.secret)):
            return None
        scopes = frozenset(Permission(each) for each in found.scopes)
        bearer = Bearer(found.user_id, parts.key_id, tenant_id=parts.tenant_id, scopes=scopes)
        return _Known(bearer, [ip_network(each) for each in found.networks])

    async def _note(self, bearer: Bearer, now: datetime) -> None:
        assert bearer.tenant_id is not None
        async with self._database.transaction(bearer.tenant_id) as tx:
            await queries.note_use(tx, bearer.tenant_id, bearer.session_id, now)


def _is_within(address: str | None, networks: list[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in each for each in networks)
