"""Registering: an account and a place in the default community, in one transaction."""

import re
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.identity import queries as identity_queries
from muster.identity.commands import Email, PersonName, Session, open_account, open_session
from muster.identity.passwords import hash_password
from muster.identity.views import UserView
from muster.kit.arguments import Input
from muster.kit.caller import Claim, anyone
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Invalid, NotFound
from muster.kit.limits import AUTH
from muster.kit.views.results import Payload
from muster.tenancy import queries

Password = Annotated[str, Meta(min_length=10, max_length=1000, examples=["a long enough one"])]


class RegisterInput(Input):
    """What an account needs."""

    name: PersonName
    email: Email
    password: Password


class Registration(Payload):
    """A new account."""

    status = 201

    user: UserView


async def _hash(services: Services, claim: Claim, *, input: RegisterInput) -> str:
    """The hash of an acceptable password. Raises Invalid for one that equals the mail."""
    if input.password.strip().lower() == input.email.strip().lower():
        raise Invalid.field("input.password", "must not be the mail address")
    return await hash_password(input.password)


@command("POST /auth/register", "register", allow=anyone, limit=AUTH, prepare=_hash)
async def register(ctx: Ctx, *, input: RegisterInput, prepared: str) -> Registration:
    """Open an account with mail and password, and join the default community.

    Raises EmailTaken when there is an account with this mail.
    """
    user_id = await open_account(ctx, name=input.name, email=input.email)
    await identity_queries.put_password(ctx, user_id=user_id, hashed=prepared)
    await _join_default(ctx, user_id)
    return Registration(user=UserView.ref(user_id))


@command("POST /auth/dev-login", "devLogin", allow=anyone, limit=AUTH)
async def dev_login(ctx: Ctx, *, name: PersonName) -> Session:
    """In development only: sign in as whoever has this name, making them when there is nobody.

    Raises NotFound in production.
    """
    if ctx.settings.is_production:
        raise NotFound
    email = _development_email(name)
    user_id = await identity_queries.user_by_email(ctx, email)
    if user_id is None:
        user_id = await open_account(ctx, name=name, email=email, verified=True)
        await _join_default(ctx, user_id)
    return await open_session(ctx, user_id)


def _development_email(name: str) -> str:
    """The mail that stands for a name; `.invalid` can never receive any (RFC 2606)."""
    return re.sub(r"\s+", ".", name.strip().lower()) + "@dev.invalid"


async def _join_default(ctx: Ctx, user_id: UUID) -> None:
    tenant_id = await queries.default_tenant(ctx)
    await ctx.enter(tenant_id)
    await queries.put_member(ctx, user_id=user_id, role="participant")
