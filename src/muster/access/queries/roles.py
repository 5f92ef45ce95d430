"""SQL that access needs: the roles that a community made."""

from uuid import UUID

from msgspec import structs
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.access.roles import ROLES, effective
from muster.kit.caller import Permission
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id
from muster.tenancy.tables import CustomRole, Member


class RoleParts(Row):
    """What a role is made of."""

    name: str
    colour: str
    base: str
    additions: list[str]
    removals: list[str]


class LockedRole(RoleParts):
    """A role under its lock."""

    id: UUID


class RoleId(Row):
    """Which role."""

    id: UUID


class Holders(Row):
    """How many have a role."""

    holders: int


_OF_SLUG = CustomRole.slug == bindparam("wanted")
# The lock that a foreign key takes, too: nobody deletes the role before whoever is given it has it.
_KEPT_ROLE = Statement(
    RoleParts, select(*columns(RoleParts, CustomRole)).where(_OF_SLUG).with_for_update(key_share=True, read=True)
)
_LOCKED_ROLE = Statement(LockedRole, select(*columns(LockedRole, CustomRole)).where(_OF_SLUG).with_for_update())
# Two who want one slug at once: the unique constraint decides, and the loser gets no row.
_PUT_ROLE = Statement(
    RoleId,
    insert(CustomRole).on_conflict_do_nothing(index_elements=["tenant_id", "slug"]).returning(CustomRole.id),
    insert_keys=("tenant_id", "id", "slug", *RoleParts.__struct_fields__, "created_at", "updated_at"),
)
_PUT_PARTS = Statement(
    Nothing,
    update(CustomRole)
    .where(CustomRole.id == bindparam("role"))
    .values(
        {
            name: bindparam(f"new_{name}", type_=CustomRole.__table__.c[name].type)
            for name in RoleParts.__struct_fields__
        }
        | {"updated_at": bindparam("at", type_=CustomRole.__table__.c.updated_at.type)}
    ),
)
_DELETE_ROLE = Statement(Nothing, delete(CustomRole).where(CustomRole.id == bindparam("role")))
_HOLDERS = Statement(
    Holders, select(func.count().label("holders")).select_from(Member).where(Member.custom_role == bindparam("wanted"))
)


async def role_gives(tx: Transaction, role: str) -> frozenset[Permission] | None:
    """What a role gives in the transaction's tenant, where it stays until the transaction ends; None when there is none."""
    if role in ROLES:
        return ROLES[role]
    found = await tx.one(_KEPT_ROLE, wanted=role)
    return None if found is None else effective(found.base, found.additions, found.removals)


async def lock_role(ctx: Ctx, slug: str) -> tuple[UUID, RoleParts] | None:
    """A role that the community made, and nobody else changes or is given until the transaction ends."""
    found = await ctx.db.one(_LOCKED_ROLE, wanted=slug)
    if found is None:
        return None
    return found.id, RoleParts(**{name: getattr(found, name) for name in RoleParts.__struct_fields__})


async def put_role(ctx: Ctx, slug: str, parts: RoleParts) -> UUID | None:
    """Make a role; None when the slug is taken."""
    made = await ctx.db.one(
        _PUT_ROLE,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        slug=slug,
        created_at=ctx.now,
        updated_at=ctx.now,
        **structs.asdict(parts),
    )
    return None if made is None else made.id


async def put_parts(ctx: Ctx, role_id: UUID, parts: RoleParts) -> None:
    """Store what the locked role is made of now."""
    values = {f"new_{name}": value for name, value in structs.asdict(parts).items()}
    await ctx.db.run(_PUT_PARTS, role=role_id, at=ctx.now, **values)


async def count_holders(ctx: Ctx, slug: str) -> int:
    """How many have a role. Under the role's lock none is added meanwhile."""
    found = await ctx.db.one(_HOLDERS, wanted=slug)
    return 0 if found is None else found.holders


async def delete_role(ctx: Ctx, role_id: UUID) -> None:
    """Delete the locked role, which nobody has; the foreign key refuses it otherwise."""
    await ctx.db.run(_DELETE_ROLE, role=role_id)
