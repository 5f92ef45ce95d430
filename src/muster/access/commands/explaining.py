"""Why a member may do something, or may not: which grant or which absence decides."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.access import queries
from muster.access.explaining import word_of
from muster.access.queries import MemberStanding
from muster.access.roles import ACCESS_EXPLAIN, PERMISSIONS
from muster.access.rules import GRANTS, Ground, ground_of_role
from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, NotFound
from muster.kit.limits import API
from muster.kit.views.results import Payload
from muster.tenancy.tables import MemberStatus


class ObjectNotFound(NotFound):
    """There is no such object, or it is not for you, or nobody speaks for objects of this kind."""

    code = "OBJECT_NOT_FOUND"


class Explanation(Payload):
    """Why a member may do something, or may not.

    allowed: whether they may. ground: what decided. why: the same in words.
    """

    allowed: bool
    ground: Ground
    why: str


@command("GET /access/explain", "explainAccess", allow=member, permission=ACCESS_EXPLAIN, limit=API)
async def explain(
    ctx: Ctx,
    *,
    user_id: UUID,
    permission: Annotated[str, Meta(max_length=60, examples=["event:moderate"])],
    object_id: UUID | None = None,
) -> Explanation:
    """Why a member may do something in this community, or may not. The audit log notes who asked.

    user_id: of whom. permission: what they would need. object_id: an event, or the person of a member, to be asked too.
    Raises Invalid, ObjectNotFound.
    """
    if permission not in PERMISSIONS:
        raise Invalid.field("permission", "is no permission; GET /access/permissions lists them")
    asked = Permission(permission)
    standing = await queries.find_standing(ctx, user_id)
    ground, why = _ground(standing, asked)
    if object_id is not None:
        word = await word_of(ctx, asked, user_id, object_id)
        if word is None:
            raise ObjectNotFound
        is_in = ground not in (Ground.NOT_A_MEMBER, Ground.MEMBER_SUSPENDED, Ground.EMAIL_NOT_VERIFIED)
        if is_in and word.allows is not None and word.allows != (ground in GRANTS):
            ground = Ground.OBJECT_ALLOWS if word.allows else Ground.OBJECT_REFUSES
            why = word.why
    return Explanation(allowed=ground in GRANTS, ground=ground, why=why)


def _ground(standing: MemberStanding | None, permission: Permission) -> tuple[Ground, str]:
    """What decides before any object is asked, and the same in words; in the order in which a request is asked."""
    if standing is None:
        return Ground.NOT_A_MEMBER, "they are no member of this community"
    if standing.status != MemberStatus.ACTIVE:
        return Ground.MEMBER_SUSPENDED, "their membership is suspended"
    if not standing.verified:
        return Ground.EMAIL_NOT_VERIFIED, "they have not verified their mail address"
    parts = (standing.base, standing.additions or (), standing.removals or ())
    ground = ground_of_role(permission, standing.role, *parts)
    words = {
        Ground.ROLE_GIVES: f"the role {standing.role} gives {permission}",
        Ground.ROLE_LACKS: f"the role {standing.role} does not give {permission}",
        Ground.BASE_GIVES: f"the role {standing.role} begins from {standing.base}, which gives {permission}",
        Ground.ROLE_ADDS: f"the role {standing.role} adds {permission}",
        Ground.ROLE_REMOVES: f"the role {standing.role} takes {permission} away",
    }
    return ground, words[ground]
