"""SQL that the verbs of profiles need. The row of a profile is the lock of its person: for names, ties and blocks."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Uuid, and_, any_, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.predicates import not_blocked
from muster.identity.tables import Block
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id
from muster.kit.views.scope import REQUEST_VIEWER
from muster.profiles.predicates import is_known
from muster.profiles.rules import REDIRECT
from muster.profiles.tables import AUDIENCES, Audience, Disclosure, Profile, Sighting, Tie, TieKind, Username


class Found(Row):
    """The id of a row."""

    id: UUID


class Standing(Row):
    """How a person stands to the one who acts. known: they may know of each other. open: neither has blocked the other."""

    known: bool
    open: bool


class HeldName(Row):
    """A name that leads to somebody. in_use: it is the one they have."""

    name: str
    in_use: bool


class EventDefaults(Row):
    """To whom somebody's new events show where they are, and who takes part."""

    default_address_visibility: Disclosure
    default_members_visibility: Disclosure


_DEFAULTS = EventDefaults.__struct_fields__


class EditableProfile(Row):
    """What of a profile its person may change, and how often they did. education, experience: as JSON in one form."""

    bio_short: str | None
    bio_long: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    languages: list[str]
    interests: list[str]
    links: list[str]
    skills: list[str]
    education: str
    experience: str
    availability: list[str]
    is_public: bool
    is_indexed: bool
    counts_views: bool
    keeps_last_seen: bool
    default_address_visibility: Disclosure
    default_members_visibility: Disclosure
    local_push_consent: bool
    bio_short_for: Audience
    bio_long_for: Audience
    city_for: Audience
    country_for: Audience
    home_point_for: Audience
    languages_for: Audience
    interests_for: Audience
    links_for: Audience
    skills_for: Audience
    education_for: Audience
    experience_for: Audience
    availability_for: Audience
    last_seen_for: Audience
    connections_for: Audience
    version: int


_PERSON = bindparam("person", type_=Uuid())
_OTHER = bindparam("other", type_=Uuid())
_MOMENT = bindparam("moment", type_=Username.taken_at.type)

# Nothing but the rows themselves is read here: while this waits for a lock, sub-selects would see the past. In one order,
# so that no two who lock several wait for each other.
_LOCK = Statement(
    Found,
    select(Profile.id)
    .where(Profile.id == any_(bindparam("people", type_=ARRAY(Uuid()))))
    .order_by(Profile.id)
    .with_for_update(key_share=True),
)
_STANDING = Statement(
    Standing,
    select(
        is_known(Profile, REQUEST_VIEWER).label("known"),
        not_blocked(REQUEST_VIEWER.user_id, Profile.id).label("open"),
    ).where(Profile.id == _PERSON),
)

_EDITED = tuple(name for name in EditableProfile.__struct_fields__ if name != "version")
_EDITABLE = Statement(EditableProfile, select(*columns(EditableProfile, Profile)).where(Profile.id == _PERSON))
_EVENT_DEFAULTS = Statement(EventDefaults, select(*columns(EventDefaults, Profile)).where(Profile.id == _PERSON))
_COUNT_CHANGE: dict[str, Any] = {"version": Profile.version + 1, "updated_at": _MOMENT}
_EDIT = Statement(
    Nothing,
    update(Profile)
    .where(Profile.id == _PERSON)
    .values(**_COUNT_CHANGE, **{name: bindparam(f"new_{name}") for name in _EDITED}),
)
_TOUCH = Statement(Nothing, update(Profile).where(Profile.id == _PERSON).values(**_COUNT_CHANGE))
_FORGET_SIGHTING = Statement(Nothing, delete(Sighting).where(Sighting.id == _PERSON))

_STILL_LEADS = or_(Username.given_up_at.is_(None), Username.given_up_at > _MOMENT)
_NAMES = Statement(
    HeldName,
    select(Username.name, Username.given_up_at.is_(None).label("in_use")).where(
        Username.user_id == _PERSON, _STILL_LEADS
    ),
)
_GIVE_UP = Statement(
    Nothing,
    update(Username).where(Username.user_id == _PERSON, Username.given_up_at.is_(None)).values(given_up_at=_MOMENT),
)
# Of many who want one name at once, the unique constraint lets one have it; the others find it taken and get no row.
_fresh_name = insert(Username)
_TAKE = Statement(
    Found,
    _fresh_name.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "user_id": _fresh_name.excluded.user_id,
            "taken_at": _fresh_name.excluded.taken_at,
            "given_up_at": None,
        },
        where=or_(
            Username.user_id == _fresh_name.excluded.user_id,
            and_(Username.given_up_at.is_not(None), Username.given_up_at <= bindparam("horizon")),
        ),
    ).returning(Username.id),
    insert_keys=("id", "user_id", "name", "taken_at"),
)

_PUT_TIE = Statement(
    Nothing,
    insert(Tie).on_conflict_do_nothing(index_elements=["from_id", "to_id", "kind"]),
    insert_keys=("id", "from_id", "to_id", "kind", "created_at"),
)
_END_TIE = Statement(
    Nothing, delete(Tie).where(Tie.from_id == _PERSON, Tie.to_id == _OTHER, Tie.kind == bindparam("kind"))
)
_END_TIES = Statement(
    Nothing,
    delete(Tie).where(
        or_(and_(Tie.from_id == _PERSON, Tie.to_id == _OTHER), and_(Tie.from_id == _OTHER, Tie.to_id == _PERSON))
    ),
)
_BLOCK_OF = Statement(Found, select(Block.id).where(Block.user_id == _PERSON, Block.blocked_id == _OTHER))
_PUT_BLOCK = Statement(Nothing, insert(Block), insert_keys=("id", "user_id", "blocked_id", "created_at"))
_END_BLOCK = Statement(Nothing, delete(Block).where(Block.user_id == _PERSON, Block.blocked_id == _OTHER))


async def lock_people(ctx: Ctx, people: Collection[UUID]) -> set[UUID]:
    """Lock the profiles of people until the transaction ends; answers with those who are there."""
    return {each.id for each in await ctx.db.all(_LOCK, people=list(people))}


async def standing(ctx: Ctx, user_id: UUID) -> Standing | None:
    """How a person stands to the one who acts; None when there is no such person."""
    return await ctx.db.one(_STANDING, person=user_id, **ctx.as_viewer())


async def event_defaults(ctx: Ctx) -> EventDefaults:
    """What the acting person's new events show to whom, where they do not say."""
    found = await ctx.db.one(_EVENT_DEFAULTS, person=ctx.user_id)
    return found or EventDefaults(Disclosure.PUBLIC, Disclosure.PUBLIC)


async def editable(ctx: Ctx) -> EditableProfile:
    """What the acting person may change of their locked profile, as it is. Raises LookupError when there is none."""
    found = await ctx.db.one(_EDITABLE, person=ctx.user_id)
    if found is None:
        raise LookupError("a person has no profile; the trigger on users makes one")
    # A state comes as text; PostgreSQL writes JSON in a form of its own.
    audiences = {f"{name}_for": Audience(getattr(found, f"{name}_for")) for name in AUDIENCES}
    defaults = {name: Disclosure(getattr(found, name)) for name in _DEFAULTS}
    one_form = {name: as_json(msgspec.json.decode(getattr(found, name))) for name in ("education", "experience")}
    return msgspec.structs.replace(found, **audiences, **defaults, **one_form)


def as_json(value: object) -> str:
    """A value as JSON in one form, so that equal values are equal texts."""
    return msgspec.json.encode(value, order="sorted").decode()


async def put_edited(ctx: Ctx, edited: EditableProfile) -> None:
    """Store the acting person's locked profile as edited."""
    await ctx.db.run(
        _EDIT, person=ctx.user_id, moment=ctx.now, **{f"new_{name}": getattr(edited, name) for name in _EDITED}
    )
    if not edited.keeps_last_seen:
        await ctx.db.run(_FORGET_SIGHTING, person=ctx.user_id)


async def names_of_mine(ctx: Ctx) -> list[HeldName]:
    """The names that lead to the acting person."""
    return await ctx.db.all(_NAMES, person=ctx.user_id, moment=ctx.now - REDIRECT)


async def put_username(ctx: Ctx, name: str) -> bool:
    """Give the acting person, whose profile is locked, a name in place of the one they have; False when it is taken."""
    await ctx.db.run(_GIVE_UP, person=ctx.user_id, moment=ctx.now)
    taken = await ctx.db.one(
        _TAKE, id=new_id(), user_id=ctx.user_id, name=name, taken_at=ctx.now, horizon=ctx.now - REDIRECT
    )
    await ctx.db.run(_TOUCH, person=ctx.user_id, moment=ctx.now)
    return taken is not None


async def put_tie(ctx: Ctx, user_id: UUID, kind: TieKind) -> bool:
    """Tie the acting person to another, whose profile is locked; False when they are."""
    return bool(
        await ctx.db.run(_PUT_TIE, id=new_id(), from_id=ctx.user_id, to_id=user_id, kind=kind, created_at=ctx.now)
    )


async def end_tie(ctx: Ctx, user_id: UUID, kind: TieKind) -> bool:
    """Untie the acting person from another; False when they were not tied."""
    return bool(await ctx.db.run(_END_TIE, person=ctx.user_id, other=user_id, kind=kind))


async def put_block(ctx: Ctx, user_id: UUID) -> UUID:
    """Have the acting person block another, both locked: their ties end, in both directions. Answers with the block's id."""
    block_id = new_id()
    await ctx.db.run(_PUT_BLOCK, id=block_id, user_id=ctx.user_id, blocked_id=user_id, created_at=ctx.now)
    await ctx.db.run(_END_TIES, person=ctx.user_id, other=user_id)
    return block_id


async def block_of(ctx: Ctx, user_id: UUID) -> UUID | None:
    """The acting person's block of another."""
    found = await ctx.db.one(_BLOCK_OF, person=ctx.user_id, other=user_id)
    return None if found is None else found.id


async def end_block(ctx: Ctx, user_id: UUID) -> None:
    """End the acting person's block of another, if there is one."""
    await ctx.db.run(_END_BLOCK, person=ctx.user_id, other=user_id)
