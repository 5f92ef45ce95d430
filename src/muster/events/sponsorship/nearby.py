"""Who is told of an event by a local push: people of the community who live near it and want it, one event a day."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, BindParameter, Double, Integer, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from muster.events.queries import Recipient
from muster.events.sponsorship.tables import PushHearer
from muster.events.tables import Event, EventMember, EventStatus, Visibility
from muster.identity.predicates import not_blocked
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement
from muster.kit.views.near import Near, box_around
from muster.profiles.tables import Profile
from muster.tenancy.tables import Member, MemberStatus

RADIUS_KM = 50.0
BETWEEN_EVENTS = timedelta(hours=24)
"""How long a person who was told of an event near them is told of no other."""


class Middle(Row):
    """Where an event says it is, while people may be told of it: published, public, and still to end."""

    latitude: float
    longitude: float
    owner_id: UUID


class PersonId(Row):
    """Somebody's id."""

    id: UUID


_MOMENT = Event.ends_at.type
# The point that everybody may know of: who is told, and who is not, says no more than the map does.
_MIDDLE = Statement(
    Middle,
    select(Event.shown_latitude.label("latitude"), Event.shown_longitude.label("longitude"), Event.owner_id).where(
        Event.id == bindparam("event"),
        Event.status == EventStatus.PUBLISHED,
        Event.visibility == Visibility.PUBLIC,
        Event.ends_at > bindparam("moment", type_=_MOMENT),
        Event.shown_latitude.is_not(None),
    ),
)
_has_heard = select(PushHearer.id).where(
    PushHearer.id == Member.user_id, PushHearer.heard_at > bindparam("since", type_=_MOMENT)
)
_knows = select(EventMember.id).where(
    EventMember.event_id == bindparam("event", type_=Uuid()), EventMember.user_id == Member.user_id
)
_pusher, _owner = bindparam("pusher", type_=Uuid()), bindparam("owner", type_=Uuid())
_degrees: dict[str, BindParameter[float]] = {
    name: bindparam(name, type_=Double()) for name in ("latitude", "longitude", "south", "north", "west", "east")
}
# Who has anything to do with the event already needs no telling, and who was sent away from it wants none.
_NEXT = Statement(
    PersonId,
    select(Member.user_id.label("id"))
    .join(Profile, Profile.id == Member.user_id)
    .join(User, User.id == Member.user_id)
    .where(
        Member.user_id > bindparam("after", type_=Uuid()),
        Member.status == MemberStatus.ACTIVE,
        User.closed_at.is_(None),
        Profile.local_push_consent,
        Profile.latitude.between(_degrees["south"], _degrees["north"]),
        Profile.longitude.between(_degrees["west"], _degrees["east"]),
        func.kilometres_between(_degrees["latitude"], _degrees["longitude"], Profile.latitude, Profile.longitude)
        <= RADIUS_KM,
        not_blocked(Member.user_id, _owner),
        not_blocked(Member.user_id, _pusher),
        ~_knows.exists(),
        ~_has_heard.exists(),
    )
    .order_by(Member.user_id)
    .limit(bindparam("size", type_=Integer())),
)
_hears = insert(PushHearer).from_select(
    ["tenant_id", "id", "heard_at"],
    select(
        bindparam("tenant", type_=Uuid()),
        func.unnest(bindparam("people", type_=ARRAY(Uuid()))),
        bindparam("moment", type_=_MOMENT),
    ),
)
# Of two events that reach somebody at once the row of the person lets one through; the other finds them told.
_HEAR = Statement(
    PersonId,
    _hears.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={"heard_at": _hears.excluded.heard_at},
        where=PushHearer.heard_at <= bindparam("since", type_=_MOMENT),
    ).returning(PushHearer.id),
)


async def next_hearers(ctx: Ctx, event_id: UUID, pusher_id: UUID, after: UUID, *, size: int) -> list[Recipient]:
    """The next people to tell of an event, by their ids, noted as told in this transaction; nobody once it is over, hidden
    or called off.

    after: the last one known. pusher_id: who has it told.
    """
    middle = await ctx.db.one(_MIDDLE, event=event_id, moment=ctx.now)
    if middle is None:
        return []
    circle = Near(latitude=middle.latitude, longitude=middle.longitude, radius_km=RADIUS_KM)
    box = dict(zip(("south", "north", "west", "east"), box_around(circle), strict=True))
    where = {"latitude": middle.latitude, "longitude": middle.longitude, **box}
    whom = {"event": event_id, "owner": middle.owner_id, "pusher": pusher_id, "since": ctx.now - BETWEEN_EVENTS}
    while people := await ctx.db.all(_NEXT, after=after, size=size, **whom, **where):
        ids = [each.id for each in people]
        given = {"tenant": ctx.tenant_id, "people": ids, "moment": ctx.now, "since": ctx.now - BETWEEN_EVENTS}
        if told := sorted(each.id for each in await ctx.db.all(_HEAR, **given)):
            return [Recipient(user_id=each, by_mail=False) for each in told]
        after = ids[-1]
    return []
