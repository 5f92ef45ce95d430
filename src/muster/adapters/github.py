"""Signing in with GitHub, which speaks OAuth 2 and not OpenID Connect: who somebody is has to be asked of its API."""

from typing import Any
from urllib.parse import urlencode

from muster.adapters.oidc import challenge
from muster.adapters.web import ask
from muster.kit.providers import Asked, NotVouched, Provider, Vouched

_GITHUB = "https://github.com"


def _api(provider: Provider) -> str:
    """Where its API is; that of a server of one's own stands beside its pages."""
    return "https://api.github.com" if provider.issuer == _GITHUB else f"{provider.issuer}/api/v3"


async def way_there(provider: Provider, asked: Asked) -> str:
    """Where to send a person who wants to sign in with GitHub."""
    parameters = {
        "client_id": provider.client_id,
        "redirect_uri": asked.redirect,
        "scope": "read:user user:email",
        "state": asked.state,
        "code_challenge": challenge(asked.verifier),
        "code_challenge_method": "S256",
    }
    return f"{provider.issuer}/login/oauth/authorize?{urlencode(parameters)}"


async def who_came(provider: Provider, asked: Asked, code: str) -> Vouched:
    """Whom a code stands for, with the mail that is verified and comes first. Raises NotVouched, OutOfReach."""
    form = {
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "code": code,
        "redirect_uri": asked.redirect,
        "code_verifier": asked.verifier,
    }
    # It refuses with 200, too.
    tokens = await ask("POST", f"{provider.issuer}/login/oauth/access_token", form=form)
    token = tokens.get("access_token") if isinstance(tokens, dict) else None
    if not isinstance(token, str):
        raise NotVouched(f"{provider.issuer} gives no token")
    headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
    person = await ask("GET", f"{_api(provider)}/user", headers=headers)
    mails = await ask("GET", f"{_api(provider)}/user/emails", headers=headers)
    if not isinstance(person, dict) or not isinstance(person.get("id"), int):
        raise NotVouched(f"{provider.issuer} does not say who it is")
    email = _verified(mails)
    name = person.get("name") or person.get("login")
    # The number stays; the name may be changed, and taken by somebody else.
    return Vouched(
        issuer=provider.issuer,
        subject=str(person["id"]),
        email=email,
        is_verified=bool(email),
        name=name if isinstance(name, str) else "",
    )


def _verified(mails: Any) -> str:
    """The primary address where it is verified; empty where it is not."""
    for each in mails if isinstance(mails, list) else []:
        if (
            isinstance(each, dict)
            and each.get("primary")
            and each.get("verified")
            and isinstance(each.get("email"), str)
        ):
            return str(each["email"])
    return ""
