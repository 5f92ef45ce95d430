"""Tokens and API keys for scripts, of people and of a community's own programs."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from muster.access.keys.commands import CreateApiKeyInput, NewApiKey, make_key
from muster.access.services.queries import find_services
from muster.cli.accounts import TenantOption, find_account
from muster.cli.logins import fresh
from muster.cli.operator import operating
from muster.cli.output import JsonFlag, show
from muster.identity.commands import open_session
from muster.kit.commands.context import Ctx
from muster.kit.processes import CannotRun
from muster.tenancy.granting import held_by
from muster.tenancy.queries import find_role

EmailArgument = Annotated[str | None, Parameter(help="Of whose account; without it, who signed in by `muster login`.")]
ServiceOption = Annotated[str | None, Parameter(help="A service account of the community, by its name or id.")]
KeyOption = Annotated[str | None, Parameter(help="Mint an API key of this name instead; programs have nothing else.")]
ScopeOption = Annotated[
    tuple[str, ...],
    Parameter(negative="", help="What the key is for, such as event:create; without any, it only reads."),
]
DaysOption = Annotated[int, Parameter(help="How long the key is good.")]
_LONGEST = 3660


async def token(
    email: EmailArgument = None,
    *,
    service: ServiceOption = None,
    key: KeyOption = None,
    scope: ScopeOption = (),
    days: DaysOption = 30,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Mint an access token of somebody, good for 15 minutes, or an API key; the audit log says that you did.

    Example: curl -H "Authorization: Bearer $(muster token ada@example.org)" http://localhost:8000/api/v1/me/events
    Example: muster token --service "Calendar import" --key nightly --scope event:create --scope self:act --days 90
    """
    if email is None and service is None:
        login = fresh()
        show({"accessToken": login.access_token, "expiresAt": login.expires_at}, login.access_token, as_json=as_json)
        return
    if not 1 <= days <= _LONGEST:
        raise CannotRun(f"--days is {days}: it must be from 1 to {_LONGEST}.")
    async with operating("token", tenant=tenant) as operator, operator.transaction() as ctx:
        if email is not None and service is not None:
            raise CannotRun("A token is of a person or of a service account: name one of them.")
        if service is None and key is None:
            session = await open_session(ctx, await find_account(ctx, email or ""))
            said, until, rest = session.access_token, session.expires_at, {"accessToken": session.access_token}
        else:
            holder_id = await (find_account(ctx, email) if email else _program(ctx, service or ""))
            made, until = await _key(ctx, holder_id, key or "muster token", scope, days), ctx.now + timedelta(days=days)
            said, rest = made.secret, {"key": made.secret, "id": str(made.api_key.row_id)}
    show({**rest, "expiresAt": until}, said, as_json=as_json)


async def _program(ctx: Ctx, named: str) -> UUID:
    found = await find_services(ctx, named)
    if not found:
        raise CannotRun(f"The community has no service account {named!r}: `createServiceAccount` makes one.")
    if len(found) > 1:
        raise CannotRun(f"There are {len(found)} called {named!r}: name one by its id, {', '.join(map(str, found))}.")
    return found[0]


async def _key(ctx: Ctx, holder_id: UUID, name: str, scopes: tuple[str, ...], days: int) -> NewApiKey:
    """A key that may do what its holder's role gives at most."""
    held = await held_by(ctx, holder_id)
    if await find_role(ctx, holder_id) is None:
        raise CannotRun("They are no active member of this community, so no key of theirs works in it.")
    given = CreateApiKeyInput(name=name, scopes=list(scopes), expires_at=ctx.now + timedelta(days=days))
    return await make_key(ctx, given, holder_id=holder_id, held=held)
