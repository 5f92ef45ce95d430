"""Registering: an account and a place in the default community, in one transaction."""

import re

from muster.identity import queries as identity_queries
from muster.identity.commands import (
    Email,
    EmailTaken,
    Locale,
    MailSent,
    NewPassword,
    PersonName,
    Session,
    Timezone,
    ask_for_verification,
    checked_password,
    normal_email,
    open_account,
    open_session,
)
from muster.identity.facts import RegisteredAgain
from muster.kit.arguments import Input
from muster.kit.caller import Claim, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Invalid, NotFound
from muster.kit.limits import AUTH
from muster.kit.places import is_timezone
from muster.tenancy import queries


class RegisterInput(Input):
    """What an account needs.

    accepted_terms: those at `TERMS_URL`, which have to be accepted where a deployment has any.
    """

    name: PersonName
    email: Email
    password: NewPassword
    locale: Locale | None = None
    timezone: Timezone | None = None
    accepted_terms: bool = False


async def _hash(services: Services, claim: Claim, *, input: RegisterInput) -> str:
    """The hash of an acceptable password, when all else is acceptable."""
    if input.timezone is not None and not is_timezone(input.timezone):
        raise Invalid.field("input.timezone", "must be an IANA time zone such as Europe/Warsaw")
    if services.settings.addresses.terms is not None and not input.accepted_terms:
        raise Invalid.field(
            "input.acceptedTerms", f"accept the terms at {services.settings.addresses.terms}", "REQUIRED"
        )
    return await checked_password(input.password, field="input.password", known=(input.name, input.email))


@command("POST /auth/register", "register", allow=whoever, limit=AUTH, prepare=_hash)
async def register(ctx: Ctx, *, input: RegisterInput, prepared: str) -> MailSent:
    """Open an account with mail and password, and join the default community.

    The mail that follows holds a link; until it is followed, the account may do little. For a mail that has an
    account the answer is the same, and its owner is told. Raises Invalid.
    """
    await ctx.enter(await queries.default_tenant(ctx))
    try:
        user_id = await open_account(
            ctx,
            name=input.name,
            email=input.email,
            locale=input.locale,
            timezone=input.timezone,
            accepted_terms=input.accepted_terms,
        )
    except EmailTaken:
        await _tell_owner(ctx, normal_email(input.email))
    else:
        await identity_queries.put_password(ctx, user_id=user_id, hashed=prepared)
        await queries.put_member(ctx, user_id=user_id, role="participant")
        ask_for_verification(ctx, user_id)
    return MailSent(email=normal_email(input.email))


async def _tell_owner(ctx: Ctx, email: str) -> None:
    owner_id = await identity_queries.user_by_email(ctx, email)
    if owner_id is not None:
        ctx.record(RegisteredAgain(user_id=owner_id))


@command("POST /auth/dev-login", "devLogin", allow=whoever, limit=AUTH)
async def dev_login(ctx: Ctx, *, name: PersonName) -> Session:
    """In development only: sign in as whoever has this name, making them when there is nobody.

    Raises NotFound in production, WrongCredentials for somebody who has deleted their account for good.
    """
    if ctx.settings.is_production:
        raise NotFound
    email = _development_email(name)
    user_id = await identity_queries.user_by_email(ctx, email)
    if user_id is None:
        user_id = await open_account(ctx, name=name, email=email, verified=True)
        await ctx.enter(await queries.default_tenant(ctx))
        await queries.put_member(ctx, user_id=user_id, role="participant")
    return await open_session(ctx, user_id, proved=True)


def _development_email(name: str) -> str:
    """The mail that stands for a name; `.invalid` can never receive any (RFC 2606)."""
    return re.sub(r"\s+", ".", name.strip().lower()) + "@dev.invalid"
