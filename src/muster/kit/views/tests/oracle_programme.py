"""The part of the oracle that knows what lies around an event: rows that are shown to whoever sees it."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_doors import event_offer
from muster.kit.views.tests.oracle_sponsorship import book_of
from muster.kit.views.tests.oracle_values import HOSTILE, MOMENTS, WORDS

Row = dict[str, Any]

OF_EVENT = {
    "eventAgenda": ("AgendaItem", "event_agenda_items"),
    "eventJoinForms": ("EventJoinForm", "event_join_forms"),
    "eventFaqs": ("Faq", "event_faqs"),
    "eventResources": ("Resource", "event_resources"),
}
"""Lists of what belongs to an event: the type of their rows, and the table."""


OF_HEARERS = {"eventAnnouncements": ("Announcement", "event_announcements")}
"""The same of what is for members alone."""

OF_ORGANISERS = {
    "eventInviteLinks": ("EventInviteLink", "event_invite_links"),
    "eventInvitations": ("EventInvitation", "event_invitations"),
}
"""The same of what is for who runs the event."""


def is_for(row: Row, own: Row | None, *, organises: bool) -> bool:
    """Whether an announcement is for a viewer. own: their membership. organises: they run the event."""
    return organises or (own is not None and own["status"] in row["audience"])


def is_shown(row: Row, *, seated: bool) -> bool:
    """Whether a row around an event is shown to a viewer who sees the event. seated: they have a place in it."""
    return seated or row.get("audience", "PUBLIC") == "PUBLIC"


def _invitations(
    chance: random.Random, ids: dict[str, UUID], group: list[UUID]
) -> Iterator[tuple[str, dict[str, object]]]:
    for person in chance.sample(group, k=min(len(group), chance.choice((0, 1, 3)))):
        moment, status = chance.choice(MOMENTS), chance.choice(("PENDING", "ACCEPTED", "REVOKED"))
        by_mail = {"user_id": None, "email": f"{person}@example.org", "expires_at": moment}
        by_name = {"user_id": person, "email": None, "expires_at": None}
        ended = {"status": status, "ended_at": None if status == "PENDING" else moment}
        made = {"made_by_id": chance.choice(group), "sent_at": moment}
        yield "event_invitations", {**ids, "id": _id(chance), **chance.choice((by_mail, by_name)), **made, **ended}


def around_event(
    chance: random.Random, tenant: UUID, event: UUID, group: list[UUID]
) -> Iterator[tuple[str, dict[str, object]]]:
    """Rows around an event, with the tables they belong in. group: people of the community."""
    ids = {"tenant_id": tenant, "event_id": event}
    for tag in chance.sample(WORDS, k=chance.choice((0, 0, 1, 3))):
        yield "event_tags", {**ids, "id": _id(chance), "tag": tag.lower()}
    for position in range(chance.choice((0, 1, 3))):
        starts_at = chance.choice((None, *MOMENTS))
        item = {**ids, "id": _id(chance), "position": position, **_texts(chance, "title", "description")}
        ends_at = None if starts_at is None else starts_at + timedelta(minutes=30)
        yield "event_agenda_items", {**item, "starts_at": starts_at, "ends_at": ends_at}
        for place in range(chance.choice((0, 1, 2))):
            somebody = chance.choice(({"user_id": chance.choice(group), "name": None}, _texts(chance, "name")))
            host = {"tenant_id": tenant, "id": _id(chance), "item_id": item["id"], "position": place}
            yield "event_agenda_hosts", {**host, "user_id": None, **somebody}
    for _ in range(chance.choice((0, 0, 2))):
        whom = chance.sample(("JOINED", "PENDING", "INVITED"), k=chance.randint(1, 3))
        told = {"author_id": chance.choice(group), "audience": whom, "created_at": chance.choice(MOMENTS)}
        yield "event_announcements", {**ids, "id": _id(chance), **told, **_texts(chance, "content")}
    yield from _invitations(chance, ids, group)
    for _ in range(chance.choice((0, 1, 2))):
        link_id, made = _id(chance), chance.choice(MOMENTS)
        link = {**ids, "id": link_id, "code": str(link_id), "uses": 1, "made_by_id": chance.choice(group)}
        ends = {"max_uses": chance.choice((None, 3)), "expires_at": chance.choice((None, *MOMENTS))}
        revoked = {"revoked_at": chance.choice((None, made)), "revoked_by_id": chance.choice(group)}
        ended = revoked if revoked["revoked_at"] else dict.fromkeys(revoked)
        yield "event_invite_links", {**link, **ends, **ended, **_texts(chance, "label"), "created_at": made}
        for person in chance.sample(group, k=chance.choice((0, 2))):
            use = {"tenant_id": tenant, "id": _id(chance), "link_id": link_id, "user_id": person}
            yield "event_invite_link_uses", {**use, "used_at": chance.choice(MOMENTS)}
    for person in chance.sample(group, k=chance.choice((0, 3))):
        yield "event_favourites", {**ids, "id": _id(chance), "user_id": person, "created_at": chance.choice(MOMENTS)}
    if chance.random() < 0.5:
        yield "event_ownership_offers", event_offer(chance, ids, group)
    for line in book_of(chance, ids, group):
        yield "event_sponsorships", line
    for position in range(chance.choice((0, 2))):
        texts = _texts(chance, "question", "answer")
        yield "event_faqs", {**ids, "id": _id(chance), "position": position, **texts}
        audience = chance.choice(("PUBLIC", "JOINED"))
        texts = _texts(chance, "title", "url")
        yield "event_resources", {**ids, "id": _id(chance), "position": position, **texts, "audience": audience}


def arrival(chance: random.Random) -> dict[str, Any]:
    """Whether the holder of a place came, as far as somebody knows."""
    attendance = chance.choice((None, "NO_SHOW", "PRESENT"))
    came = attendance == "PRESENT"
    way = chance.choice(("SCAN", "ORGANISER", "ONESELF")) if came else None
    arrived_at = chance.choice(MOMENTS) if came else None
    return {"attendance": attendance, "arrived_at": arrived_at, "arrived_by": way, "scans": chance.randint(0, 3)}


def _texts(chance: random.Random, *names: str) -> dict[str, object]:
    return {name: chance.choice(HOSTILE) for name in names}


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
