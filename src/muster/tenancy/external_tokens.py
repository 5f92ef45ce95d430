"""Tokens that others issue: taken as access tokens where the settings name their issuer, and as no more than that.

The token is verified with no connection in hand, and remembered. The first time it opens a session of its person, named
by the issuer's session or by the token itself, so that Muster's own sessions list it and end it as any other.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from muster.identity import queries as accounts
from muster.identity.external import queries as identities
from muster.identity.external.commands import MailNotVouched
from muster.identity.facts import SignedIn
from muster.identity.queries import factors as factor_queries
from muster.identity.queries.named_sessions import put_named_session
from muster.kit.caller import Bearer
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.system import system_transaction
from muster.kit.errors import Unauthenticated, Unavailable
from muster.kit.ids import new_id
from muster.kit.providers import NotVouched, OutOfReach, TokenIssuer, Vouched
from muster.tenancy.external import AccountExists, put_account

log = structlog.get_logger()

_REMEMBERED = 10_000
_LONGEST = 8000
_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class _Told:
    """What a verified token says. session: which of the person's it belongs to, in the issuer's words."""

    issuer: TokenIssuer
    vouched: Vouched
    session: str
    expires_at: datetime


class ExternalTokens:
    """Reads tokens of the issuers that the settings name."""

    def __init__(self, services: Services, default_tenant: UUID) -> None:
        self._services = services
        self._tenant_id = default_tenant
        self._issuers = {each.issuer: each for each in services.settings.vouchers.tokens}
        self._known: OrderedDict[bytes, tuple[Bearer, datetime]] = OrderedDict()

    async def bearer(self, token: str, address: str | None, agent: str | None, now: datetime) -> Bearer | None:
        """Whom a token was made for; None when it is of no issuer whose tokens are taken, or does not hold.

        address, agent: of the client. Raises Unauthenticated where the person cannot come in so, Unavailable where the
        issuer's keys are out of reach.
        """
        mark = hashlib.sha256(token.encode()).digest()
        bearer, expires_at = self._known.get(mark, (None, now))
        if bearer is None or expires_at <= now:
            told = await self._verified(token, now)
            if told is None or told.expires_at <= now:
                return None
            bearer = await self._enter(told, address, agent, now)
            self._known[mark] = (bearer, told.expires_at)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return bearer

    async def _verified(self, token: str, now: datetime) -> _Told | None:
        if len(token) > _LONGEST:
            return None
        from muster.adapters import oidc  # with it comes an HTTP client, which takes a while to load

        # Not verified yet: it only chooses whose keys to hold it against, of those that settings name.
        issuer = self._issuers.get(oidc.said_issuer(token))
        if issuer is None:
            return None
        try:
            claims = await oidc.issuer_at(issuer.issuer, issuer.keys).claims(
                token, audience=issuer.audience, by_party=True
            )
            vouched = oidc.vouched(issuer.issuer.rstrip("/"), _with_mail(claims, issuer))
        except NotVouched as error:
            log.warning("external_token.refused", issuer=issuer.name, reason=str(error))
            return None
        except OutOfReach as error:
            log.warning("external_token.issuer_away", issuer=issuer.name, reason=str(error))
            raise Unavailable(f"{issuer.name} does not answer as it should; try again in a moment.") from None
        session = claims.get("sid") or claims.get("jti") or f"{claims['iat']} {claims['exp']}"
        # However long it says that it lasts, it is looked at again within a day.
        ends = min(int(claims["exp"]), int((now + _KEPT).timestamp()))
        return _Told(issuer, vouched, str(session), datetime.fromtimestamp(ends, UTC))

    async def _enter(self, told: _Told, address: str | None, agent: str | None, now: datetime) -> Bearer:
        async with system_transaction(
            self._services,
            tenant_id=self._tenant_id,
            verb="externalToken",
            reason=f"a token of {told.issuer.name}",
            now=now,
            request_id=str(new_id()),
        ) as ctx:
            ctx.address, ctx.agent = address, agent
            user_id = await self._person(ctx, told)
            await _refuse_who_cannot(ctx, user_id)
            session_id = _session_id(told)
            if await put_named_session(ctx, session_id, user_id=user_id, expires_at=told.expires_at):
                ctx.act_as(user_id)
                ctx.record(SignedIn(user_id=user_id, session_id=session_id))
        return Bearer(user_id, session_id)

    async def _person(self, ctx: Ctx, told: _Told) -> UUID:
        """Whose identity it is. Raises Unauthenticated for who has no account, where none is opened."""
        known = await identities.known(ctx, told.vouched)
        if known is not None:
            return known.user_id
        # Nobody accepts terms by a token.
        if not told.issuer.opens_accounts or ctx.settings.addresses.terms is not None:
            raise Unauthenticated(f"Nobody here is linked to this identity of {told.issuer.name}; link it first.")
        try:
            made = await put_account(ctx, told.vouched, provider=told.issuer.name, accepted_terms=False)
        except (MailNotVouched, AccountExists) as error:
            raise Unauthenticated(str(error)) from None
        return made.user_id


def _with_mail(claims: dict[str, Any], issuer: TokenIssuer) -> dict[str, Any]:
    return claims | {"email": claims.get(issuer.email_claim)}


async def _refuse_who_cannot(ctx: Ctx, user_id: UUID) -> None:
    """Raises Unauthenticated for a closed or disabled account, and for one whose second factor nobody has shown."""
    life = await accounts.life_of(ctx.db, user_id)
    if life is None or any((life.closed_at, life.ended_at, life.disabled_at)):
        raise Unauthenticated("This account is closed.")
    has = await factor_queries.standing(ctx, user_id)
    if has.totp or has.passkey:
        raise Unauthenticated("This account asks for a second factor: sign in here, not by a token of somebody else.")


def _session_id(told: _Told) -> UUID:
    """The same for the same session of the same person at the same issuer, and nobody else's."""
    parts = (told.vouched.issuer, told.vouched.subject, told.session)
    digest = hashlib.sha256("\0".join(("external session", *parts)).encode()).digest()
    return UUID(bytes=digest[:16], version=5)
