"""What can be read of access: every permission, and every role with what it gives."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from sqlalchemy import ARRAY, Boolean, Column, Text, Uuid
from sqlalchemy.orm import Mapped

from muster.access.roles import GRANTABLE, PERMISSIONS, ROLES, STAFF
from muster.kit.caller import member
from muster.kit.views.derived import DerivedRow, derived
from muster.kit.views.paging import ascending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View
from muster.tenancy.tables import CustomRole

_NAMES = UUID("0193b1f0-a4c0-7000-8000-00000acce550")
# What the ids of permissions and built-in roles are made from.


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'::text"


def id_of(name: str) -> UUID:
    """The id of a permission or of a built-in role: the same everywhere, as its name is."""
    return uuid5(_NAMES, name)


def _id(name: str) -> str:
    return f"'{id_of(name)}'::uuid"


def _texts(values: Iterable[str]) -> str:
    return f"array[{', '.join(_text(each) for each in sorted(values))}]::text[]"


_PERMISSIONS = ", ".join(
    f"({_id(name)}, {_text(name)}, {_text(meaning)}, {'true' if name in GRANTABLE else 'false'})"
    for name, meaning in PERMISSIONS.items()
)
_ROLES = ", ".join(
    f"({_id(role)}, {_text(role)}, {_text(role.replace('_', ' ').capitalize())}, {_texts(gives)})"
    for role, gives in ROLES.items()
    if role != STAFF
)
_PERMISSION_ROWS = f"select * from (values {_PERMISSIONS}) as code (id, name, meaning, is_grantable)"  # noqa: S608 - our own
_BUILT_IN = f"(values {_ROLES}) as code (id, slug, name, gives)"
# What `effective` says, in SQL; a test compares the two.
_ROLE_ROWS = f"""
select r.id, r.slug, r.name, r.colour, r.base, r.additions, r.removals, false as is_built_in,
       array(select distinct given from unnest(code.gives || r.additions) as given
              where given = any ({_texts(GRANTABLE)}) and given <> all (r.removals) order by given) as permissions
  from custom_roles r left join {_BUILT_IN} on code.slug = r.base
union all
select id, slug, name, null, null, '{{}}', '{{}}', true, gives from {_BUILT_IN}
"""  # noqa: S608 - our own constants


class PermissionRow(DerivedRow):
    """A permission of the catalogue."""

    __table__ = derived(
        "permissions",
        _PERMISSION_ROWS,
        Column("id", Uuid(), primary_key=True),
        Column("name", Text(), nullable=False),
        Column("meaning", Text(), nullable=False),
        Column("is_grantable", Boolean(), nullable=False),
    )

    id: Mapped[UUID]
    name: Mapped[str]
    meaning: Mapped[str]
    is_grantable: Mapped[bool]


class RoleRow(DerivedRow):
    """A role: a built-in one, or one that the community made."""

    __table__ = derived(
        "roles",
        _ROLE_ROWS,
        Column("id", Uuid(), primary_key=True),
        *(Column(name, Text(), nullable=False) for name in ("slug", "name")),
        *(Column(name, Text()) for name in ("colour", "base")),
        *(Column(name, ARRAY(Text()), nullable=False) for name in ("additions", "removals", "permissions")),
        Column("is_built_in", Boolean(), nullable=False),
        stored=CustomRole.__table__,
    )

    id: Mapped[UUID]
    slug: Mapped[str]


class PermissionView(View, of=PermissionRow):
    """Something that a role may allow.

    name: resource and action. meaning: what who holds it may do. is_grantable: whether a community may put it into a
    role of its own; what is not is for the owner alone, or for the platform's staff.
    """

    orders = {"NAME": ascending(PermissionRow.name)}
    example = {"name": "event:create", "meaning": "make events"}

    id: UUID
    name: str
    meaning: str
    is_grantable: bool


class RoleView(View, of=RoleRow):
    """A role, and what it gives.

    slug: names it, and never changes; members have it as their role. name: as people read it. colour: as `#rrggbb`; null for
    a built-in one. base: the built-in role that it begins from; null for a built-in one. additions: what it gives
    besides. removals: what it does not give, whatever its base and additions say. permissions: what it gives in the end.
    is_built_in: whether it is everywhere the same, and nobody's to change.
    """

    orders = {"SLUG": ascending(RoleRow.slug)}
    brief = ("id", "slug", "name")
    example = {
        "slug": "greeter",
        "name": "Greeter",
        "colour": "#336699",
        "base": "participant",
        "additions": ["member:approve"],
        "removals": ["event:create"],
        "permissions": ["key:create", "member:approve", "team:create"],
        "isBuiltIn": False,
    }

    id: UUID
    slug: str
    name: str
    colour: str | None
    base: str | None
    additions: list[str]
    removals: list[str]
    permissions: list[str]
    is_built_in: bool


@query("GET /access/permissions", "permissions", allow=member)
def permissions() -> Page[PermissionView]:
    """Every permission that there is."""


@query("GET /access/roles", "roles", allow=member)
def roles() -> Page[RoleView]:
    """The roles of the community: the built-in ones, and its own."""


@query("GET /access/roles/{slug}", "role", allow=member)
def role(slug: str) -> RoleView | None:
    """One role, by its slug.

    slug: what members have as their role, such as `moderator`.
    """
