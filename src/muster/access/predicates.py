"""SQL of what roles give, for reads. `roles.py` says the same to commands; a test compares the two."""

from sqlalchemy import ColumnElement, any_, not_, or_, select

from muster.access.roles import GRANTABLE, ROLES
from muster.kit.caller import Permission
from muster.kit.db.tables import once_more
from muster.kit.views.view import Viewer
from muster.tenancy.tables import CustomRole, Member, MemberStatus


def holds(viewer: Viewer, permission: Permission) -> ColumnElement[bool]:
    """The viewer's role in the community gives this."""
    own, made = once_more(Member), once_more(CustomRole)
    giving = [slug for slug, gives in ROLES.items() if permission in gives]
    mine = (own.user_id == viewer.user_id, own.status == MemberStatus.ACTIVE)
    built_in = select(own.id).where(*mine, own.custom_role.is_(None), own.role.in_(giving)).exists()
    if permission not in GRANTABLE:
        return built_in
    given = or_(made.base.in_(giving), any_(made.additions) == permission)
    taken = any_(made.removals) == permission
    by_made = select(own.id).where(*mine, own.custom_role == made.slug, given, not_(taken)).exists()
    return or_(built_in, by_made)
