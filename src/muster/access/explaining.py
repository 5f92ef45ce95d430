"""What objects have to say of it, when somebody asks why a member may do something: each slice tells of its own."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from muster.access.roles import MEMBER_REMOVE, MEMBER_SUSPEND, ROLE_ASSIGN
from muster.kit.caller import Permission
from muster.kit.commands.context import Ctx
from muster.tenancy import queries
from muster.tenancy.granting import held_by


class Word(NamedTuple):
    """What an object says. allows: whether it lets the person, whatever their role; None leaves it to the role."""

    allows: bool | None
    why: str


ObjectRule = Callable[[Ctx, UUID, UUID], Awaitable[Word | None]]
"""What an object says of a person; None where there is no such object, or not for who asks."""

RULES: dict[Permission, ObjectRule] = {}
"""By the permission that is asked for."""


def asked_of(rule: ObjectRule, *permissions: Permission) -> None:
    """Have a slice speak for its objects, where these permissions are asked for. Raises TypeError for a second rule."""
    for each in permissions:
        if each in RULES:
            raise TypeError(f"two rules speak for the objects of {each}")
        RULES[each] = rule


async def word_of(ctx: Ctx, permission: Permission, user_id: UUID, object_id: UUID) -> Word | None:
    """What an object says of a person and a permission; None as of `ObjectRule`, and where nobody speaks for such objects."""
    rule = RULES.get(permission)
    return None if rule is None else await rule(ctx, user_id, object_id)


async def member_says(ctx: Ctx, user_id: UUID, object_id: UUID) -> Word | None:
    """A member, by the id of the person: nobody decides of who holds more."""
    role = await queries.find_role(ctx, object_id)
    if role is None:
        return None
    missing = (await ctx.gives(ctx.db, role) or frozenset()) - await held_by(ctx, user_id)
    if missing:
        return Word(False, f"that member holds what this one does not: {', '.join(sorted(missing))}")
    return Word(None, "that member holds nothing that this one does not")


asked_of(member_says, MEMBER_SUSPEND, MEMBER_REMOVE, ROLE_ASSIGN)
