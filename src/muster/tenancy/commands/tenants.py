"""Found communities, and say what they are like and look like."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType, structs

from muster.identity.commands import Locale, Timezone
from muster.kit.arguments import Input
from muster.kit.caller import Permission, member, verified
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, FieldProblem, Invalid, PreconditionFailed
from muster.kit.limits import API
from muster.kit.text import camel
from muster.tenancy import queries, rules
from muster.tenancy.commands.ownership import refuse_too_many
from muster.tenancy.facts import TenantCreated, TenantUpdated
from muster.tenancy.queries import EditableTenant
from muster.tenancy.rules import Term
from muster.tenancy.tables import JoinPolicy, TenantKind
from muster.tenancy.views import TenantView

TENANT_CREATE = Permission("tenant:create")
TENANT_UPDATE = Permission("tenant:update")


class OnlyByStaff(Denied):
    """Communities are founded by the platform's staff here; ask them."""

    code = "ONLY_BY_STAFF"


class SlugTaken(Conflict):
    """This slug is taken; choose another."""

    code = "SLUG_TAKEN"


Slug = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=40,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        examples=["chess-club"],
        description="Small letters and digits, with single hyphens between. It never changes.",
    ),
]
Name = Annotated[
    str,
    Meta(min_length=2, max_length=60, pattern=r"\S", examples=["Chess club"], description="As people read it."),
]
Country = Annotated[str, Meta(min_length=2, max_length=2, examples=["PL"], description="Its code in ISO 3166.")]
# Nothing in it may end the directive of a page's policy that its origin becomes part of.
LogoUrl = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^https://[a-z0-9.-]+(:[0-9]{1,5})?/[^\s\"'<>;,\\]*$",
        examples=["https://chess.example/logo.png"],
        description="Where its logo is, over https; pages and mails show it from there.",
    ),
]
Colour = Annotated[
    str, Meta(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#2f6f62"], description="Red, green and blue, `#rrggbb`.")
]
Word = Annotated[str, Meta(min_length=1, max_length=30, pattern=r"^\S(.*\S)?$", examples=["match"])]


class Renamed(Input):
    """What a community calls one thing, and several of it.

    one: the word for one of it, such as `match`. many: the word for several of it, such as `matches`.
    """

    term: Term
    one: Word
    many: Word


class CreateTenantInput(Input):
    """What a new community needs.

    allows_unverified: members may act before they have verified their mail. is_listed: anybody may find it.
    """

    slug: Slug
    name: Name
    kind: TenantKind = TenantKind.COMMUNITY
    locale: Locale = "en"
    timezone: Timezone = "UTC"
    country: Country | None = None
    is_listed: bool = False
    join_policy: JoinPolicy = JoinPolicy.INVITE
    allows_unverified: bool = False


class UpdateTenantInput(Input):
    """What changes of a community. What is absent stays as it is; a country of null is none.

    is_listed: anybody may find it. allows_unverified: members may act before they have verified their mail.
    requires_mfa: members need a second factor to do anything here; whoever has none is asked to set one up.
    keeps_content: what people wrote and organised here stays when they delete their account, under nobody's name;
    otherwise it goes with them. limits_events: the plan of an event limits what it may have; otherwise every event may have
    all there is.
    version: the one that the change is meant for; another is refused.
    """

    name: Name | UnsetType = UNSET
    kind: TenantKind | UnsetType = UNSET
    locale: Locale | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    country: Country | UnsetType | None = UNSET
    is_listed: bool | UnsetType = UNSET
    join_policy: JoinPolicy | UnsetType = UNSET
    allows_unverified: bool | UnsetType = UNSET
    requires_mfa: bool | UnsetType = UNSET
    keeps_content: bool | UnsetType = UNSET
    limits_events: bool | UnsetType = UNSET
    version: int | UnsetType = UNSET


class BrandingInput(Input):
    """How a community looks. What is absent stays as it is; what is null is as it is without.

    terms: all that it calls by other names; it replaces what was there. version: the one that the change is meant for.
    """

    logo_url: LogoUrl | UnsetType | None = UNSET
    primary_colour: Colour | UnsetType | None = UNSET
    accent_colour: Colour | UnsetType | None = UNSET
    terms: Annotated[list[Renamed], Meta(max_length=len(Term))] | UnsetType = UNSET
    version: int | UnsetType = UNSET


@command("POST /tenants", "createTenant", allow=verified, in_person=True, limit=API, answers=(201,))
async def create_tenant(ctx: Ctx, *, input: CreateTenantInput) -> TenantView:
    """Found a community and become its owner.

    Where the platform's staff alone may, they do it in the platform's tenant.
    Raises OnlyByStaff, TooManyTenants, SlugTaken when another community has the slug, Invalid for one that is reserved
    or reads as an id.
    """
    if ctx.settings.communities.by_staff and ctx.actor.kind != "system" and not ctx.may(TENANT_CREATE):
        raise OnlyByStaff
    if (problem := rules.slug_problem(input.slug)) is not None:
        raise Invalid.field("input.slug", problem)
    _refuse(rules.place_problems(input.timezone, input.country))
    await refuse_too_many(ctx)
    tenant_id = await queries.put_tenant(ctx, **structs.asdict(input))
    if tenant_id is None:
        raise SlugTaken
    await ctx.enter(tenant_id)
    await queries.put_member(ctx, user_id=ctx.user_id, role="owner")
    ctx.record(TenantCreated(tenant_id=tenant_id, owner_id=ctx.user_id))
    return TenantView.ref(tenant_id, created=True)


@command("PATCH /tenant", "updateTenant", allow=member, permission=TENANT_UPDATE, limit=API)
async def update_tenant(ctx: Ctx, *, input: UpdateTenantInput) -> TenantView:
    """Change the community that the request is in.

    Raises PreconditionFailed, Invalid.
    """
    return await _change(ctx, input.version, _given(input))


@command("PATCH /tenant/branding", "updateBranding", allow=member, permission=TENANT_UPDATE, limit=API)
async def update_branding(ctx: Ctx, *, input: BrandingInput) -> TenantView:
    """Change how the community that the request is in looks, and what it calls things.

    Text on its colours is black or white, whichever is read better. Raises PreconditionFailed, Invalid.
    """
    given = _given(input)
    for name in ("primary_colour", "accent_colour"):
        if given.get(name) is not None:
            given[name] = given[name].lower()
    if "terms" in given:
        given["terms"] = _terms(given["terms"])
    return await _change(ctx, input.version, given)


def _given(input: Input) -> dict[str, Any]:
    return {name: value for name, value in structs.asdict(input).items() if value is not UNSET and name != "version"}


def _terms(renamed: list[Renamed]) -> str:
    """The terms as they are stored. Raises Invalid for one that comes twice."""
    found = {each.term: {"one": each.one, "many": each.many} for each in renamed}
    if len(found) < len(renamed):
        raise Invalid.field("input.terms", "must not name a term twice")
    return msgspec.json.encode(found, order="sorted").decode()


async def _change(ctx: Ctx, version: int | UnsetType, given: dict[str, Any]) -> TenantView:
    before = await queries.lock_editable(ctx)
    if version is not UNSET and version != before.version:
        raise PreconditionFailed
    after = structs.replace(before, **given)
    changed = [name for name in given if _differ(before, after, name)]
    if not changed:
        return TenantView.ref(ctx.tenant_id)
    _refuse(rules.place_problems(after.timezone, after.country))
    await queries.put_edited(ctx, after)
    ctx.record(TenantUpdated(tenant_id=ctx.tenant_id, changed=[camel(name) for name in changed]))
    return TenantView.ref(ctx.tenant_id)


def _differ(before: EditableTenant, after: EditableTenant, name: str) -> bool:
    old, new = getattr(before, name), getattr(after, name)
    # The database writes JSON in a form of its own.
    return bool(msgspec.json.decode(old) != msgspec.json.decode(new) if name == "terms" else old != new)


def _refuse(problems: dict[str, str]) -> None:
    """Raise Invalid with every problem, if there is any."""
    if problems:
        raise Invalid(
            "; ".join(f"{field}: {message}" for field, message in problems.items()),
            fields=tuple(FieldProblem(f"input.{field}", "INVALID", message) for field, message in problems.items()),
        )
