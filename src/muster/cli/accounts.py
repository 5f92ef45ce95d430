"""People's accounts, made and listed by an operator, and tokens to call the API as somebody."""

import secrets
import sys
from typing import Annotated

from cyclopts import Parameter

from muster.access.roles import BASES, OWNER, ROLES
from muster.cli.operator import operating
from muster.cli.output import JsonFlag, show, show_list
from muster.identity import queries as identity
from muster.identity.commands import checked_password, normal_email, open_account, open_session
from muster.kit.arguments import read_struct
from muster.kit.processes import CannotRun
from muster.tenancy import queries as tenancy
from muster.tenancy.registration import RegisterInput

_ROLES = [role for role in ROLES if role in BASES | {OWNER}]
TenantOption = Annotated[str | None, Parameter(help="The slug of a community; without it, the default one.")]


async def create_user(
    email: Annotated[str, Parameter(help="What they sign in with.")],
    name: Annotated[str, Parameter(help="What others see.")],
    *,
    role: Annotated[str, Parameter(help=f"What they are in the community: {', '.join(_ROLES)}.")] = "participant",
    tenant: TenantOption = None,
    password_stdin: Annotated[bool, Parameter(negative="", help="Read the password from the standard input.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an account and a place in a community; without a given password, one is made and shown once.

    Example: muster user create ada@example.org "Ada Lovelace" --role owner
    """
    if role not in _ROLES:
        raise CannotRun(f"There is no role {role!r}: it is one of {', '.join(_ROLES)}.")
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
    given = read_struct({"name": name, "email": email, "password": password}, RegisterInput)
    hashed = await checked_password(given.password, field="password", known=(given.name, given.email))
    async with operating("user create", tenant=tenant) as operator, operator.transaction() as ctx:
        user_id = await open_account(ctx, name=given.name, email=given.email, verified=True)
        await identity.put_password(ctx, user_id=user_id, hashed=hashed)
        await tenancy.put_member(ctx, user_id=user_id, role=role)
    shown = {} if password_stdin else {"password": password}
    told = "" if password_stdin else f" The password, shown only now: {password}"
    show({"id": user_id, "email": given.email, **shown}, f"{name} is {user_id}.{told}", as_json=as_json)


async def list_users(*, tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """List the members of a community.

    Example: muster user list --tenant chess-club
    """
    async with operating("user list", tenant=tenant) as operator, operator.transaction() as ctx:
        found = await tenancy.list_members(ctx)
    show_list(found, as_json=as_json)


async def token(email: Annotated[str, Parameter(help="Whose.")], *, as_json: JsonFlag = False) -> None:
    """Mint an access token of somebody, good for 15 minutes; the audit log says that you did.

    Example: curl -H "Authorization: Bearer $(muster token ada@example.org)" http://localhost:8000/api/v1/me/events
    """
    async with operating("token") as operator, operator.transaction() as ctx:
        user_id = await identity.user_by_email(ctx, normal_email(email))
        if user_id is None:
            raise CannotRun(f"Nobody has the mail {email}: `muster user list` shows all.")
        session = await open_session(ctx, user_id)
    show({"accessToken": session.access_token, "expiresAt": session.expires_at}, session.access_token, as_json=as_json)
