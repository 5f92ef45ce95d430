"""The way to a provider and back, with no connection in hand: what both signing in and linking prepare."""

import hmac
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from muster.identity.external.tickets import Ticket, is_own_path, read_ticket
from muster.kit.commands.context import Services
from muster.kit.errors import AppError, Gone, Invalid, NotFound, Unavailable
from muster.kit.providers import Asked, NotVouched, OutOfReach, Provider, Vouched
from muster.kit.views.results import Payload

log = structlog.get_logger()


class ProviderNotFound(NotFound):
    """Nobody can sign in with this provider here."""

    code = "PROVIDER_NOT_FOUND"


class SignInExpired(Gone):
    """This sign-in took longer than 10 minutes, or began in another browser; begin anew."""

    code, title = "SIGN_IN_EXPIRED", "Begin anew"


class SignInRefused(AppError):
    """The provider does not say who you are; begin anew."""

    status, code, title = 401, "SIGN_IN_REFUSED", "The provider does not vouch for you"


class WayOut(Payload):
    """Where to send the person, and what to keep meanwhile.

    url: the provider's page. ticket: is asked for when they come back; keep it where only this browser finds it.
    """

    url: str
    ticket: str


class Came(msgspec.Struct, frozen=True):
    """Somebody who came back. ticket: that they left with. vouched: whom the provider says they are."""

    ticket: Ticket
    vouched: Vouched


class _Adapter(Protocol):
    async def way_there(self, provider: Provider, asked: Asked) -> str: ...

    async def who_came(self, provider: Provider, asked: Asked, code: str) -> Vouched: ...


async def set_out(
    services: Services, provider: str, *, user_id: UUID | None, return_to: str, proves: bool = False
) -> WayOut:
    """The way to a provider. proves: the person is to show who they are. Raises ProviderNotFound, Invalid for a path that is not ours, Unavailable."""
    if not is_own_path(return_to):
        raise Invalid.field("returnTo", "must be a path such as /events, without a host")
    found = _provider(services, provider)
    ticket = Ticket.new(provider, user_id=user_id, return_to=return_to, now=datetime.now(UTC), proves=proves)
    try:
        url = await _adapter(found).way_there(found, ticket.asked(services.settings))
    except (OutOfReach, NotVouched) as error:
        raise _away(found, error) from None
    return WayOut(url=url, ticket=ticket.sealed(services.settings))


async def come_back(
    services: Services, *, user_id: UUID | None, ticket: str, code: str, state: str, proves: bool = False
) -> Came:
    """Whoever came back from a provider. user_id: whose account is to be linked; None where somebody signs in.
    proves: they left to show who they are.

    Raises SignInExpired, SignInRefused, Unavailable.
    """
    settings = services.settings
    held = read_ticket(settings, ticket, datetime.now(UTC))
    # Who leaves to link their account and comes back as somebody else would link the other's.
    if held is None or (held.user_id, held.proves) != (user_id, proves):
        raise SignInExpired
    if held.provider not in settings.vouchers.providers:
        raise SignInExpired
    asked = held.asked(settings)
    if not hmac.compare_digest(state.encode(), asked.state.encode()):
        raise SignInExpired
    provider = _provider(services, held.provider)
    try:
        return Came(held, await _adapter(provider).who_came(provider, asked, code))
    except NotVouched as error:
        log.warning("sign_in.refused", provider=provider.name, reason=str(error))
        raise SignInRefused from None
    except OutOfReach as error:
        raise _away(provider, error) from None


def _adapter(provider: Provider) -> _Adapter:
    from muster.adapters import github, oidc  # with them comes an HTTP client, which takes a while to load

    return github if provider.is_github else oidc


def _away(provider: Provider, error: Exception) -> Unavailable:
    log.warning("sign_in.provider_away", provider=provider.name, reason=str(error))
    return Unavailable(f"{provider.label} does not answer as it should; try again in a moment, or sign in another way.")


def _provider(services: Services, name: str) -> Provider:
    found = services.settings.vouchers.providers.get(name)
    if found is None:
        raise ProviderNotFound
    return found
