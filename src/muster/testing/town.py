"""A town: a community with people of every standing around one event, and a row in every table."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from muster.identity.commands import token_keys
from muster.kit.ids import new_id
from muster.kit.text import origin_of
from muster.testing.authenticator import Authenticator
from muster.testing.below import change, value
from muster.testing.client import Client
from muster.testing.people import Person, Standing, found_tenant, make_moderator, put_in_tenant, sign_in, suspend
from muster.testing.serving import Service

WARSAW_ID = UUID("5c2f5a5e-5d5b-5f0e-9d5e-3c1b1f6e7a10")
"""The only city there is."""
SEATS = 3
"""Places of the town's event: its owner, its moderator and its member have them."""


@dataclass(frozen=True)
class Town:
    """A community with one published event, a hidden one, a draft, and people.

    people: by their standing to the published event; nobody stands for ANONYMOUS. An outsider is a member of the
    community who has nothing to do with the event; somebody of another tenant is the owner of their own.
    waiting: who stands first in the event's queue. kicked: who was removed from it.
    team_id: of a private team, of the owner and the member. choir_id: of one that members see; the owner's. request_id: of
    the member's wish to sing there.
    """

    service: Service
    tenant_id: UUID
    people: dict[Standing, Person]
    waiting: Person
    kicked: Person
    event_id: UUID
    hidden_id: UUID
    draft_id: UUID
    message_id: UUID
    team_id: UUID
    choir_id: UUID
    request_id: UUID

    def client(self, standing: Standing) -> Client:
        """The client of somebody of this standing, in this community; of another tenant, in their own."""
        if standing == Standing.ANONYMOUS:
            return Client(self.service).in_tenant(self.tenant_id)
        return self.people[standing].client


def event_input(**changes: object) -> dict[str, object]:
    """The input of an event that is fine as it is.

    changes: fields to set; None leaves one out.
    """
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    fields = {
        "title": "An evening of games",
        "description": "Bring what you like to play",
        "startsAt": starts_at,
        "endsAt": starts_at + timedelta(hours=3),
        "timezone": "Europe/Warsaw",
        "meetingKind": "HYBRID",
        "onlineUrl": "https://meet.example/games",
        "url": "https://games.example",
        "address": "Market Square 1",
        "city": "Warsaw",
        "country": "Poland",
        "latitude": 52.2,
        "longitude": 21.0,
        "max": SEATS,
        "tags": ["Board games"],
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


async def make_event(owner: Client, *, publish: bool = True, **changes: object) -> UUID:
    """An event of somebody's; answers with its id. changes: as in `event_input`."""
    made: Any = (await owner.call("createEvent", input=event_input(**changes))).ok()
    if publish:
        (await owner.call("publishEvent", id=made["id"])).ok()
    return UUID(made["id"])


async def add_passkey(person: Client, name: str) -> Authenticator:
    """A passkey of somebody who has proved lately who they are; answers with what holds it."""
    device = Authenticator(origin_of(person.service.settings.addresses.app))
    begun = (await person.call("enrolPasskey")).ok()
    made = {"token": begun["token"], "credential": device.create(begun["options"])}
    (await person.call("addPasskey", name=name, **made)).ok()
    return device


async def _know(person: Person, subject: str) -> None:
    """Have a provider know somebody, as if they had signed in with it."""
    await change(
        person.client.service.urls,
        "insert into external_identities (id, user_id, provider, issuer, subject, email, created_at, used_at) "
        "values ($1, $2, 'google', 'https://accounts.google.com', $3, 'known@example.org', now(), now())",
        new_id(),
        person.user_id,
        subject,
    )


async def settle(service: Service, slug: str | None = None) -> Town:
    """Found a town and fill it. The worker has not run yet.

    slug: of a community of its own, and what the names of its people begin with; None is the default community.
    """
    prefix = slug or "main"
    people: dict[Standing, Person] = {
        each: await sign_in(service, f"{prefix} {each.lower()}") for each in Standing if each != Standing.ANONYMOUS
    }
    waiting, kicked = [await sign_in(service, f"{prefix} {word}") for word in ("waiting", "kicked")]
    tenant_id = await _community(service, slug, [*people.values(), waiting, kicked])
    elsewhere = people[Standing.OTHER_TENANT]
    own_id = await found_tenant(elsewhere, f"{prefix}-other")
    people = {each: _in(person, tenant_id) for each, person in people.items()}
    people[Standing.OTHER_TENANT] = _in(elsewhere, own_id)
    waiting, kicked = _in(waiting, tenant_id), _in(kicked, tenant_id)
    owner = people[Standing.OWNER].client
    event_id = await make_event(owner, title=f"An evening in {prefix}")
    moderator, member = people[Standing.MODERATOR], people[Standing.MEMBER]
    for person in (kicked, moderator, member):
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    (await owner.call("kickMember", eventId=event_id, userId=kicked.user_id, note="spoke out of turn")).ok()
    await make_moderator(service, moderator, event_id)
    await _announce(owner, event_id, member, waiting)
    await _categorise(service, tenant_id, event_id)
    await _sponsor(service, tenant_id, event_id, member.user_id)
    told = member.client.with_key("a-key-of-theirs")
    message = (await told.call("sendEventMessage", eventId=event_id, content=f"Wat is on in {prefix}?")).ok()
    said = {"eventId": event_id, "id": message["id"], "content": f"What is on in {prefix}?"}
    (await member.client.call("editEventMessage", **said)).ok()
    await _keep_dates(member.client, event_id)
    for device in ("phone", "laptop"):
        await add_passkey(owner, f"The {device} of {prefix}")
        await _know(people[Standing.OWNER], f"{device} of {prefix}")
    hidden_id = await _repeat(owner, prefix)
    draft_id = await _draft(owner, prefix)
    await _introduce(people, prefix)
    await suspend(service, people[Standing.SUSPENDED], tenant_id)
    return Town(
        service=service,
        tenant_id=tenant_id,
        people=people,
        waiting=waiting,
        kicked=kicked,
        event_id=event_id,
        hidden_id=hidden_id,
        draft_id=draft_id,
        message_id=UUID(message["id"]),
        **await _team_up(people, prefix),
    )


async def _announce(owner: Client, event_id: UUID, host: Person, guest: Person) -> None:
    """Say what awaits people at an event, share it, and have somebody come by a link into it."""
    link = (await owner.call("createEventInviteLink", eventId=event_id, input={"label": f"By {host.name}"})).ok()
    (await guest.client.call("joinByInviteLink", code=link["code"])).ok()
    (await owner.call("inviteToEvent", eventId=event_id, email=f"{event_id.hex}@example.org")).ok()
    programme = {
        "agenda": [{"title": "Opening game", "hosts": [{"userId": host.user_id}, {"name": "Grandmaster Ada"}]}],
        "faqs": [{"question": "Are there boards?", "answer": "Twenty."}],
        "resources": [{"title": "The rules", "url": "https://games.example/rules"}],
    }
    (await owner.call("updateEventProgramme", id=event_id, input=programme)).ok()
    (await owner.call("shareEvent", eventId=event_id)).ok()
    (await owner.call("announce", eventId=event_id, content="We meet at the north gate.")).ok()


async def _categorise(service: Service, tenant_id: UUID, event_id: UUID) -> None:
    """Put the event into a category that the community knows, in a world with a city."""
    topic_id, names = new_id(), '{"en": "Evenings"}'
    topic = "insert into topics (tenant_id, id, kind, slug, names, created_at, updated_at)"
    values = "values ($1, $2, 'CATEGORY', 'evenings', $3, now(), now())"
    await change(service.urls, f"{topic} {values}", tenant_id, topic_id, names)
    held = "insert into event_categories (tenant_id, id, event_id, topic_id) values ($1, $2, $3, $4)"
    await change(service.urls, held, tenant_id, new_id(), event_id, topic_id)
    await _put_on_the_map(service)


async def _put_on_the_map(service: Service) -> None:
    """Have there be a city, the same for all towns."""
    city = "insert into cities (id, name, country, population, latitude, longitude, keys, search, edition)"
    values = (
        "values ($1, 'Warsaw', 'PL', 1702139, 52.22977, 21.01178, $2, to_tsvector('simple', 'warsaw warszawa'), 'T')"
    )
    names = ["warsaw", "warszawa"]
    await change(service.urls, f"{city} {values} on conflict do nothing", WARSAW_ID, names)


async def _sponsor(service: Service, tenant_id: UUID, event_id: UUID, fan_id: UUID) -> None:
    """Have the event get a plan with a boost and a local push, and let somebody keep it who once heard of another one."""
    line = "insert into event_sponsorships (tenant_id, id, event_id, number, kind, plan, boosts, pushes, boosts_left,"
    values = "pushes_left, source_key, created_at) values ($1, $2, $3, 1, 'NEW', 'PLUS', 1, 1, 1, 1, $4, now())"
    await change(service.urls, f"{line} {values}", tenant_id, new_id(), event_id, f"town-{event_id}")
    await change(service.urls, "update events set plan = 'PLUS' where id = $1", event_id)
    kept = "insert into event_favourites (tenant_id, id, user_id, event_id, created_at) values ($1, $2, $3, $4, now())"
    await change(service.urls, kept, tenant_id, new_id(), fan_id, event_id)
    heard = "insert into event_push_hearers (tenant_id, id, heard_at) values ($1, $2, now() - interval '2 days')"
    await change(service.urls, heard, tenant_id, fan_id)
    await _tally(service, tenant_id)


async def _tally(service: Service, tenant_id: UUID) -> None:
    """Have every table of what is counted beforehand hold something, which counts nothing."""
    begun = "insert into event_tallies (tenant_id, id, counted_until) values ($1, $1, '-infinity')"
    await change(service.urls, begun, tenant_id)
    place = "insert into event_map_counts (tenant_id, id, level, cell, events, sum_x, sum_y)"
    await change(service.urls, f"{place} values ($1, $2, 6, 0, 0, 0, 0)", tenant_id, new_id())
    word = "insert into event_title_words (tenant_id, id, word, events) values ($1, $2, 'nowhere', 0)"
    await change(service.urls, word, tenant_id, new_id())


async def _keep_dates(person: Client, event_id: UUID) -> None:
    """Let somebody have an event in their calendar and be reminded of it."""
    (await person.call("openCalendar", eventId=event_id)).ok()
    (await person.call("setReminders", leads=["PT3H"], eventId=event_id)).ok()


async def _repeat(owner: Client, prefix: str) -> UUID:
    """Make a hidden event a series of one, so that there are no more events, and join that; answers with its id."""
    event_id = await make_event(owner, visibility="HIDDEN", title=f"A hidden evening in {prefix}")
    series = (await owner.call("repeatEvent", eventId=event_id, rule="FREQ=DAILY;COUNT=1")).ok()
    (await owner.call("joinSeries", id=series["id"])).ok()
    return event_id


async def _draft(owner: Client, prefix: str) -> UUID:
    """Draft an event that asks something of who will want in; answers with its id."""
    event_id = await make_event(owner, publish=False, title=f"A drafted evening in {prefix}")
    asked = {"questions": [{"kind": "TEXT", "label": f"What do you play in {prefix}?"}]}
    (await owner.call("updateEventJoinForm", eventId=event_id, input=asked)).ok()
    return event_id


async def _introduce(people: dict[Standing, Person], prefix: str) -> None:
    """Let some tell of themselves and know each other."""
    owner, member, outsider = (people[each].client for each in (Standing.OWNER, Standing.MEMBER, Standing.OUTSIDER))
    owner_id, moderator_id = people[Standing.OWNER].user_id, people[Standing.MODERATOR].user_id
    told = {"bioShort": f"Plays in {prefix}", "bioLong": f"At home in {prefix}", "city": f"Somewhere in {prefix}"}
    (await owner.call("updateMyProfile", input={**told, "latitude": 52.23, "longitude": 21.01})).ok()
    (await owner.call("setUsername", username=f"{prefix}-owner")).ok()
    (await member.call("starUser", userId=owner_id)).ok()
    (await member.call("followUser", userId=owner_id)).ok()
    (await outsider.call("blockUser", userId=moderator_id)).ok()


async def _team_up(people: dict[Standing, Person], prefix: str) -> dict[str, UUID]:
    """Have two teams, with people in one of them, and some who are invited or ask to come; answers with ids of `Town`."""
    owner, member, moderator = (people[each] for each in (Standing.OWNER, Standing.MEMBER, Standing.MODERATOR))
    given = {"name": f"The eleven of {prefix}", "visibility": "PRIVATE"}
    team_id = (await owner.client.call("createTeam", input=given)).ok()["id"]
    invited = (await owner.client.call("inviteToTeam", teamId=team_id, userId=member.user_id)).ok()
    (await member.client.call("approveTeamRequest", id=invited["id"])).ok()
    (await owner.client.call("inviteToTeam", teamId=team_id, userId=moderator.user_id)).ok()
    choir_id = (await owner.client.call("createTeam", input={"name": f"The choir of {prefix}"})).ok()["id"]
    asked = (await member.client.call("askToJoinTeam", teamId=choir_id, note=f"Sings in {prefix}")).ok()
    outsider_id = people[Standing.OUTSIDER].user_id
    (await owner.client.call("inviteToTeam", teamId=choir_id, userId=outsider_id)).ok()
    (await moderator.client.call("askToJoinTeam", teamId=choir_id)).ok()
    ids = {"team_id": team_id, "choir_id": choir_id, "request_id": asked["id"]}
    return {name: UUID(each) for name, each in ids.items()}


def moved(town: Town, service: Service) -> Town:
    """The same town, served from a copy of its database; its people stay signed in, with tokens as good as new."""
    move = partial(_moved, service)
    return replace(
        town,
        service=service,
        people={standing: move(person) for standing, person in town.people.items()},
        waiting=move(town.waiting),
        kicked=move(town.kicked),
    )


def _moved(service: Service, person: Person) -> Person:
    client = replace(person.client, service=service)
    if client.token is None:
        return replace(person, client=client)
    keys = token_keys(service.settings.security)
    # A moment in which no token has expired yet: the copy may be made long after they signed in.
    signed_in = keys.read(client.token, datetime.fromtimestamp(0, UTC))
    assert signed_in is not None
    token, _ = keys.sign(user_id=signed_in.user_id, session_id=signed_in.session_id, now=datetime.now(UTC))
    return replace(person, client=replace(client, token=token))


async def _community(service: Service, slug: str | None, people: list[Person]) -> UUID:
    """The community of these people, founded by the event's owner unless it is the default one."""
    if slug is None:
        default: UUID = await value(service.urls, "select id from tenants where is_default")
        return UUID(int=default.int)
    founder = next(person for person in people if person.name == f"{slug} owner")
    tenant_id = await found_tenant(founder, slug)
    for person in people:
        if person is not founder and not person.name.endswith("other_tenant"):
            await put_in_tenant(service, person, tenant_id)
    return tenant_id


def _in(person: Person, tenant_id: UUID) -> Person:
    return Person(person.user_id, person.name, person.client.in_tenant(tenant_id))
