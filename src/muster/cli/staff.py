"""The platform's own people, named by an operator and nowhere else."""

from typing import Annotated

from cyclopts import Parameter

from muster.access import queries as access
from muster.cli.operator import operating
from muster.cli.output import JsonFlag, show
from muster.identity import queries as identity
from muster.identity.commands import normal_email
from muster.kit.processes import CannotRun


async def staff(
    email: Annotated[str, Parameter(help="Of their account.")],
    *,
    off: Annotated[bool, Parameter(negative="", help="Take them out of the staff instead.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take somebody into the platform's staff: in the tenant `platform` they may act as others, to help them.

    Example: muster user staff ada@example.org
    """
    async with operating("user staff", tenant="platform") as operator, operator.transaction() as ctx:
        user_id = await identity.user_by_email(ctx, normal_email(email))
        if user_id is None:
            raise CannotRun(f"Nobody has the mail {email}: `muster user list` shows all.")
        if not off:
            await access.put_staff(ctx, user_id)
        elif not await access.remove_staff(ctx, user_id):
            raise CannotRun(f"{email} is not in the platform's staff.")
    told = f"{email} is {'no longer' if off else 'now'} in the platform's staff."
    show({"id": user_id, "email": email, "staff": not off}, told, as_json=as_json)
