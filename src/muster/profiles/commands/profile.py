"""Changing one's own profile and username. The profile's row is the lock: changes of one person take turns."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, structs, to_builtins

from muster.kit.arguments import Input
from muster.kit.caller import verified
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, FieldProblem, Invalid, PreconditionFailed
from muster.kit.places import is_country
from muster.kit.text import camel
from muster.profiles import queries, rules
from muster.profiles.facts import ProfileUpdated, UsernameSet
from muster.profiles.limits import PROFILE_WRITE
from muster.profiles.queries import EditableProfile
from muster.profiles.tables import AUDIENCES, Audience, Disclosure
from muster.profiles.views import ProfileView


class UsernameTaken(Conflict):
    """Somebody has this username, or had it until not long ago; choose another."""

    code = "USERNAME_TAKEN"


class UsernameChangedOften(Conflict):
    """You hold three former usernames; take one of them back, or wait until one is 90 days old."""

    code = "USERNAME_CHANGED_OFTEN"


Name = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=30,
        pattern="^[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$",
        examples=["ada"],
        description="Letters from a to z, digits, and single `-` or `_` between them; capitals do not count.",
    ),
]
BioShort = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", description="A line of plain text.")]
BioLong = Annotated[str, Meta(min_length=1, max_length=5000, pattern=r"\S", description="Markdown.")]
City = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^\S", examples=["Krakow"], description="Its name.")]
Country = Annotated[
    str, Meta(pattern="^[A-Z]{2}$", examples=["PL"], description="Its code of two letters, ISO 3166-1.")
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north; comes with the longitude.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east; comes with the latitude.")]
Language = Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", examples=["pl"])]
Word = Annotated[str, Meta(max_length=40, pattern=r"^\S+( \S+)*$", examples=["chess"])]
Link = Annotated[str, Meta(max_length=300, pattern=r"^https://\S+$", examples=["https://lichess.org/@/ada"])]
Hour = "([01][0-9]|2[0-3]):[0-5][0-9]"
Slot = Annotated[str, Meta(pattern=f"^(MO|TU|WE|TH|FR|SA|SU) {Hour}-{Hour}$", examples=["SA 10:00-14:00"])]
Line = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\S")]
Year = Annotated[int, Meta(ge=1900, le=2200)]

Languages = Annotated[list[Language], Meta(max_length=20, description="By BCP 47: `pl`, or `pt-BR`.")]
Words = Annotated[list[Word], Meta(max_length=100, description="Plain words, as people search for them.")]
Links = Annotated[list[Link], Meta(max_length=10, description="https, at providers that are known here.")]
Slots = Annotated[list[Slot], Meta(max_length=21, description="When one usually has time, in one's own time zone.")]


class School(Input):
    """A place where one has learnt.

    school: its name. degree: what one left it with. from_year: the year when one began there; null when one does not say.
    to_year: the year when one left it; null while one is there, or when one does not say.
    """

    school: Line
    degree: Line | None = None
    from_year: Year | None = None
    to_year: Year | None = None


class Work(Input):
    """A place where one has worked.

    organisation: its name. title: as what. from_year: the year when one began there; null when one does not say.
    to_year: the year when one left it; null while one is there, or when one does not say.
    """

    organisation: Line
    title: Line | None = None
    from_year: Year | None = None
    to_year: Year | None = None


class PrivacyInput(Input):
    """To whom parts of a profile are shown; what is absent stays as it is. home_point: the area around it."""

    bio_short: Audience | UnsetType = UNSET
    bio_long: Audience | UnsetType = UNSET
    city: Audience | UnsetType = UNSET
    country: Audience | UnsetType = UNSET
    home_point: Audience | UnsetType = UNSET
    languages: Audience | UnsetType = UNSET
    interests: Audience | UnsetType = UNSET
    links: Audience | UnsetType = UNSET
    skills: Audience | UnsetType = UNSET
    education: Audience | UnsetType = UNSET
    experience: Audience | UnsetType = UNSET
    availability: Audience | UnsetType = UNSET
    last_seen: Audience | UnsetType = UNSET
    connections: Audience | UnsetType = UNSET


class UpdateProfileInput(Input):
    """What changes of one's profile. What is absent stays as it is; what is null is emptied.

    education: where one has learnt; it replaces what was there. experience: where one has worked; it replaces what was
    there. is_public: whether who shares no community with one sees it, too, and whether it has a public page. is_indexed:
    whether search engines may list that page. counts_views: whether its views are counted.
    keeps_last_seen: whether it is noted when one was here. default_address_visibility: to whom one's new events show
    where they are. default_members_visibility: to whom they show who takes part. local_push_consent: whether one
    wants to hear of events near one's home. version: the one that the change is
    meant for; another is refused.
    """

    bio_short: BioShort | UnsetType | None = UNSET
    bio_long: BioLong | UnsetType | None = UNSET
    city: City | UnsetType | None = UNSET
    country: Country | UnsetType | None = UNSET
    latitude: Latitude | UnsetType | None = UNSET
    longitude: Longitude | UnsetType | None = UNSET
    languages: Languages | UnsetType = UNSET
    interests: Words | UnsetType = UNSET
    links: Links | UnsetType = UNSET
    skills: Words | UnsetType = UNSET
    education: Annotated[list[School], Meta(max_length=20)] | UnsetType = UNSET
    experience: Annotated[list[Work], Meta(max_length=20)] | UnsetType = UNSET
    availability: Slots | UnsetType = UNSET
    is_public: bool | UnsetType = UNSET
    is_indexed: bool | UnsetType = UNSET
    counts_views: bool | UnsetType = UNSET
    keeps_last_seen: bool | UnsetType = UNSET
    default_address_visibility: Disclosure | UnsetType = UNSET
    default_members_visibility: Disclosure | UnsetType = UNSET
    local_push_consent: bool | UnsetType = UNSET
    privacy: PrivacyInput | UnsetType = UNSET
    version: int | UnsetType = UNSET


@command("PATCH /me/profile", "updateMyProfile", allow=verified, limit=PROFILE_WRITE)
async def update_my_profile(ctx: Ctx, *, input: UpdateProfileInput) -> ProfileView:
    """Change one's own profile.

    Raises Invalid with every field that breaks a rule, PreconditionFailed.
    """
    await queries.lock_people(ctx, [ctx.user_id])
    before = await queries.editable(ctx)
    if input.version is not UNSET and input.version != before.version:
        raise PreconditionFailed
    after = structs.replace(before, **_given(input))
    _refuse(_problems(input, after))
    changed = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    if changed:
        await queries.put_edited(ctx, after)
        ctx.record(ProfileUpdated(user_id=ctx.user_id, changed=[camel(name) for name in changed]))
    return ProfileView.ref(ctx.user_id)


def _given(input: UpdateProfileInput) -> dict[str, Any]:
    """The columns that the input sets."""
    found = {name: value for name, value in structs.asdict(input).items() if value is not UNSET and name != "version"}
    privacy: PrivacyInput | None = found.pop("privacy", None)
    if privacy is not None:
        chosen = structs.asdict(privacy)
        found |= {f"{name}_for": chosen[name] for name in AUDIENCES if chosen[name] is not UNSET}
    listed = {name: queries.as_json(to_builtins(found[name])) for name in ("education", "experience") if name in found}
    return found | listed


def _problems(input: UpdateProfileInput, after: EditableProfile) -> list[FieldProblem]:
    """What is wrong with the profile as the input wants it, beyond the form of its parts."""
    links = (
        {} if input.links is UNSET else {f"links[{n}]": rules.link_problem(link) for n, link in enumerate(input.links)}
    )
    found = [(field, message) for field, message in links.items() if message is not None]
    if isinstance(input.country, str) and not is_country(input.country):
        found.append(("country", "is no country of ISO 3166-1"))
    if (after.latitude is None) != (after.longitude is None):
        missing = "latitude" if after.latitude is None else "longitude"
        found.append((missing, "is required: a point is a latitude and a longitude"))
    return [FieldProblem(f"input.{field}", "INVALID", message) for field, message in found]


def _refuse(problems: list[FieldProblem]) -> None:
    """Raise Invalid with every problem, if there is any."""
    if problems:
        raise Invalid.of(problems)


@command("PUT /me/username", "setUsername", allow=verified, limit=PROFILE_WRITE)
async def set_username(ctx: Ctx, *, username: Name) -> ProfileView:
    """Take a username, in place of the one that one has; that one still leads here for 90 days, and nobody else takes it.

    Raises Invalid for one that is reserved, UsernameTaken, UsernameChangedOften.
    """
    name = rules.normal_username(username)
    if name in rules.RESERVED:
        raise Invalid.field("username", "is reserved; choose another", "RESERVED")
    await queries.lock_people(ctx, [ctx.user_id])
    held = await queries.names_of_mine(ctx)
    if any(each.in_use and each.name == name for each in held):
        return ProfileView.ref(ctx.user_id)
    # One more is given up now, if any is in use; one that is taken back is given up no more.
    if len({each.name for each in held} - {name}) > rules.NAMES_HELD:
        raise UsernameChangedOften
    if not await queries.put_username(ctx, name):
        raise UsernameTaken
    ctx.record(UsernameSet(user_id=ctx.user_id))
    return ProfileView.ref(ctx.user_id)
