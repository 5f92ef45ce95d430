"""The verbs of access: a community makes, changes and deletes roles of its own."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from muster.access import queries
from muster.access.facts import RoleCreated, RoleDeleted, RoleUpdated
from muster.access.queries import RoleParts
from muster.access.roles import BASES, GRANTABLE, PERMISSIONS, ROLE_CREATE, ROLE_DELETE, ROLE_UPDATE, ROLES
from muster.access.views import RoleView
from muster.kit.arguments import Input
from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, FieldProblem, Invalid, NotFound
from muster.kit.limits import API
from muster.tenancy.granting import GrantsTooMuch


class RoleNotFound(NotFound):
    """There is no such role in this community."""

    code = "ROLE_NOT_FOUND"


class RoleBuiltIn(Denied):
    """Built-in roles are the same everywhere, and nobody's to change; make one of your own that begins from it."""

    code = "ROLE_BUILT_IN"


class RoleTaken(Conflict):
    """There is a role with this slug; choose another."""

    code = "ROLE_TAKEN"


class RoleInUse(Conflict):
    """Somebody has this role; give them another first."""

    code = "ROLE_IN_USE"


Slug = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=40,
        pattern="^[a-z][a-z0-9_]*$",
        examples=["greeter"],
        description="Names the role for good: small letters, digits and underscores.",
    ),
]
Name = Annotated[str, Meta(min_length=2, max_length=60, pattern=r"\S", description="As people read it.")]
Colour = Annotated[
    str, Meta(pattern="^#[0-9a-f]{6}$", examples=["#336699"], description="As `#rrggbb`, in small letters.")
]
Base = Annotated[str, Meta(max_length=40, examples=["participant"], description=f"One of {', '.join(sorted(BASES))}.")]
PermissionName = Annotated[str, Meta(max_length=60, examples=["member:approve"])]
Additions = Annotated[list[PermissionName], Meta(max_length=100, description="What it gives besides its base.")]
Removals = Annotated[
    list[PermissionName], Meta(max_length=100, description="What it does not give, whatever else it holds.")
]


class CreateRoleInput(Input):
    """What a new role is made of."""

    slug: Slug
    name: Name
    colour: Colour = "#808080"
    base: Base = "participant"
    additions: Additions = []
    removals: Removals = []


class UpdateRoleInput(Input):
    """What changes of a role; what is absent stays as it is."""

    name: Name | UnsetType = UNSET
    colour: Colour | UnsetType = UNSET
    base: Base | UnsetType = UNSET
    additions: Additions | UnsetType = UNSET
    removals: Removals | UnsetType = UNSET


@command("POST /access/roles", "createRole", allow=member, permission=ROLE_CREATE, limit=API, answers=(201,))
async def create_role(ctx: Ctx, *, input: CreateRoleInput) -> RoleView:
    """Make a role for the community: a base, what is added to it, and what is taken away, which wins.

    Nobody puts into a role what they do not hold themselves, be it taken away again.
    Raises Invalid, GrantsTooMuch, RoleTaken.
    """
    parts = RoleParts(**{name: getattr(input, name) for name in RoleParts.__struct_fields__})
    _check_parts(ctx, parts)
    role_id = None if input.slug in ROLES else await queries.put_role(ctx, input.slug, parts)
    if role_id is None:
        raise RoleTaken
    ctx.record(RoleCreated(role_id=role_id, slug=input.slug))
    return RoleView.ref(role_id, created=True)


@command("PATCH /access/roles/{slug}", "updateRole", allow=member, permission=ROLE_UPDATE, limit=API)
async def update_role(ctx: Ctx, *, slug: Slug, input: UpdateRoleInput) -> RoleView:
    """Change a role of the community; it bites on the next request of everybody who has it.

    Nobody changes a role that gives more than they hold, nor makes it do so, be it their own.
    Raises RoleNotFound, RoleBuiltIn, Invalid, GrantsTooMuch.
    """
    role_id, before = await _lock_role(ctx, slug)
    given = {name: value for name, value in structs.asdict(input).items() if value is not UNSET}
    after = structs.replace(before, **given)
    _check_parts(ctx, after)
    if after != before:
        await queries.put_parts(ctx, role_id, after)
        ctx.record(RoleUpdated(role_id=role_id, slug=slug))
    return RoleView.ref(role_id)


@command("DELETE /access/roles/{slug}", "deleteRole", allow=member, permission=ROLE_DELETE, limit=API)
async def delete_role(ctx: Ctx, *, slug: Slug) -> None:
    """Delete a role of the community that nobody has.

    Raises RoleNotFound, RoleBuiltIn, GrantsTooMuch, RoleInUse.
    """
    role_id, _ = await _lock_role(ctx, slug)
    if (holders := await queries.count_holders(ctx, slug)) > 0:
        raise RoleInUse(details={"members": holders})
    await queries.delete_role(ctx, role_id)
    ctx.record(RoleDeleted(role_id=role_id, slug=slug))


async def _lock_role(ctx: Ctx, slug: str) -> tuple[UUID, RoleParts]:
    """A role of the community under its lock, which whoever is being given it waits for, for who may change it.

    Raises RoleNotFound, RoleBuiltIn, GrantsTooMuch.
    """
    if slug in ROLES:
        raise RoleBuiltIn
    found = await queries.lock_role(ctx, slug)
    if found is None:
        raise RoleNotFound
    _check_held(ctx, found[1])
    return found


def _check_parts(ctx: Ctx, parts: RoleParts) -> None:
    """Make sure that these make a role, and one that the acting person may make. Raises Invalid, GrantsTooMuch."""
    if problems := list(_problems(parts)):
        raise Invalid.of(problems)
    _check_held(ctx, parts)


def _problems(parts: RoleParts) -> Iterator[FieldProblem]:
    if parts.base not in BASES:
        yield FieldProblem("input.base", "INVALID", f"must be one of {', '.join(sorted(BASES))}")
    for number, each in enumerate(parts.additions):
        if each not in GRANTABLE:
            why = "is not for a role that a community makes" if each in PERMISSIONS else "is no permission"
            yield FieldProblem(f"input.additions[{number}]", "INVALID", why)
    for number, each in enumerate(parts.removals):
        if each not in PERMISSIONS:
            yield FieldProblem(f"input.removals[{number}]", "INVALID", "is no permission")


def _check_held(ctx: Ctx, parts: RoleParts) -> None:
    """Make sure that the acting person holds all that a role begins from.

    What is taken away counts too: the next release may add to the base what nobody thought of taking away.
    Raises GrantsTooMuch.
    """
    begins_from = ROLES.get(parts.base, frozenset()) | {Permission(each) for each in parts.additions}
    if missing := begins_from - ctx.permissions:
        raise GrantsTooMuch(details={"missing": sorted(missing)})
