"""People's accounts, made and listed by an operator."""

import secrets
import sys
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from muster.access.roles import BASES, OWNER, ROLES
from muster.cli.operator import operating
from muster.cli.output import JsonFlag, show, show_list
from muster.identity import queries as identity
from muster.identity.commands import (
    checked_password,
    disable_account,
    drop_factors,
    enable_account,
    normal_email,
    open_account,
    set_password,
)
from muster.kit.arguments import read_struct
from muster.kit.commands.context import Ctx
from muster.kit.processes import CannotRun
from muster.tenancy import queries as tenancy
from muster.tenancy.registration import RegisterInput
from muster.tenancy.rules import has_room

EmailArgument = Annotated[str, Parameter(help="The mail of whose account.")]
PasswordFlag = Annotated[bool, Parameter(negative="", help="Read the password from the standard input.")]
_ROLES = [role for role in ROLES if role in BASES | {OWNER}]
TenantOption = Annotated[str | None, Parameter(help="The slug of a community; without it, the default one.")]


async def create_user(
    email: Annotated[str, Parameter(help="What they sign in with.")],
    name: Annotated[str, Parameter(help="What others see.")],
    *,
    role: Annotated[str, Parameter(help=f"What they are in the community: {', '.join(_ROLES)}.")] = "participant",
    tenant: TenantOption = None,
    password_stdin: PasswordFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Make an account and a place in a community; without a given password, one is made and shown once.

    Example: muster user create ada@example.org "Ada Lovelace" --role owner
    """
    if role not in _ROLES:
        raise CannotRun(f"There is no role {role!r}: it is one of {', '.join(_ROLES)}.")
    password = _password(stdin=password_stdin)
    given = read_struct({"name": name, "email": email, "password": password}, RegisterInput)
    hashed = await checked_password(given.password, field="password", known=(given.name, given.email))
    async with operating("user create", tenant=tenant) as operator, operator.transaction() as ctx:
        if role == OWNER and await tenancy.find_owner(ctx) is not None:
            raise CannotRun("The community has an owner; it is handed over by its owner, who offers it to a member.")
        # As at every other door: whoever comes in holds this lock, so the community's seats are never exceeded.
        seats = await tenancy.lock_seats(ctx)
        if not has_room(seats.taken, seats.most):
            raise CannotRun("The community has as many members as it may; `muster tenant limit` makes room.")
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


async def reset_password(
    email: EmailArgument,
    *,
    password_stdin: PasswordFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Give somebody another password, shown once; every session of theirs ends, and they are told by mail.

    Example: muster user reset-password ada@example.org
    """
    password = _password(stdin=password_stdin)
    hashed = await checked_password(password, field="password", known=(normal_email(email),))
    async with operating("user reset-password") as operator, operator.transaction() as ctx:
        user_id = await find_account(ctx, email)
        ctx.act_as(user_id)
        await set_password(ctx, user_id, hashed)
    shown = {} if password_stdin else {"password": password}
    told = "" if password_stdin else f" It is, shown only now: {password}"
    show({"id": user_id, **shown}, f"{email} has another password.{told}", as_json=as_json)


async def forget_factors(email: EmailArgument, *, as_json: JsonFlag = False) -> None:
    """Take every second factor from somebody who has lost them, so that a password is enough; they are told by mail.

    Make sure who asks. Example: muster user forget-factors ada@example.org
    """
    async with operating("user forget-factors") as operator, operator.transaction() as ctx:
        user_id = await find_account(ctx, email)
        ctx.act_as(user_id)
        had_any = await drop_factors(ctx, user_id)
    told = "has no second factor any more" if had_any else "had no second factor"
    show({"id": user_id, "hadAny": had_any}, f"{email} {told}.", as_json=as_json)


async def disable_user(email: EmailArgument, *, as_json: JsonFlag = False) -> None:
    """Let nobody sign in to an account: its sessions end at once, and signing in looks like a wrong password.

    Example: muster user disable ada@example.org
    """
    async with operating("user disable") as operator, operator.transaction() as ctx:
        user_id = await find_account(ctx, email)
        await disable_account(ctx, user_id)
    show({"id": user_id}, f"{email} is disabled, and signed out everywhere.", as_json=as_json)


async def enable_user(email: EmailArgument, *, as_json: JsonFlag = False) -> None:
    """Let somebody sign in again whose account was disabled.

    Example: muster user enable ada@example.org
    """
    async with operating("user enable") as operator, operator.transaction() as ctx:
        user_id = await find_account(ctx, email)
        await enable_account(ctx, user_id)
    show({"id": user_id}, f"{email} may sign in again.", as_json=as_json)


def _password(*, stdin: bool) -> str:
    """The given password, or a fresh one."""
    return sys.stdin.readline().rstrip("\n") if stdin else secrets.token_urlsafe(12)


async def find_account(ctx: Ctx, email: str) -> UUID:
    """Whose mail it is. Raises CannotRun when it is nobody's."""
    user_id = await identity.user_by_email(ctx, normal_email(email))
    if user_id is None:
        raise CannotRun(f"Nobody has the mail {email}: `muster user list` shows all.")
    return user_id
