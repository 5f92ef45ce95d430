"""What can be read of an event's programme, by whoever sees the event."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from muster.events.predicates import has_place
from muster.events.programme.tables import AgendaHost, AgendaItem, Faq, Resource, ResourceAudience
from muster.events.views import EventView
from muster.identity.views import UserView
from muster.kit.caller import anyone
from muster.kit.views.paging import ascending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, many, one


class AgendaItemView(View, of=AgendaItem):
    """A point of an event's agenda.

    title: a line of plain text. description: plain text. starts_at: when it begins; null when nobody said.
    ends_at: when it is over; null when nobody said. hosts: who lead it.
    """

    within = "event"
    orders = {"AGENDA": ascending(AgendaItem.position)}
    example = {"title": "Opening game", "description": "Everybody plays one."}

    id: UUID
    title: str
    description: str
    starts_at: datetime | None
    ends_at: datetime | None
    hosts: Page["AgendaHostView"] = many("item_id")
    event: EventView | None = one("event_id")


class AgendaHostView(View, of=AgendaHost):
    """Who leads a point of the agenda: a member of the community, or somebody who is only named.

    name: of who is only named; null for a member. user: the member; null for who is only named.
    """

    within = "item"
    brief = ("id", "name", "user")
    orders = {"AGENDA": ascending(AgendaHost.position)}
    example = {"name": "Grandmaster Ada"}

    id: UUID
    name: str | None
    user: UserView | None = one("user_id")
    item: AgendaItemView | None = one("item_id")


class FaqView(View, of=Faq):
    """A question that is often asked of an event, with its answer.

    question: plain text. answer: plain text.
    """

    within = "event"
    orders = {"LIST": ascending(Faq.position)}
    example = {"question": "Are there boards?", "answer": "Twenty; bring a clock if you have one."}

    id: UUID
    question: str
    answer: str
    event: EventView | None = one("event_id")


def resource_visible(resource: type[Resource], viewer: Viewer) -> ColumnElement[bool]:
    """What is for those who have a place is shown to nobody else."""
    return or_(resource.audience == ResourceAudience.PUBLIC, has_place(resource.event_id, viewer))


class ResourceView(View, of=Resource):
    """An address where there is more about an event.

    title: a line of plain text. url: where it leads. audience: who is shown it.
    """

    visible = resource_visible
    within = "event"
    orders = {"LIST": ascending(Resource.position)}
    example = {"title": "The rules", "url": "https://chess.example/rules"}

    id: UUID
    title: str
    url: str
    audience: ResourceAudience
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/agenda", "eventAgenda", allow=anyone, stale=True)
def event_agenda(event_id: UUID) -> Page[AgendaItemView] | None:
    """What awaits people at an event, in its organisers' order; null when the caller may not see the event."""


@query("GET /events/{event_id}/faqs", "eventFaqs", allow=anyone, stale=True)
def event_faqs(event_id: UUID) -> Page[FaqView] | None:
    """What is often asked of an event; null when the caller may not see the event."""


@query("GET /events/{event_id}/resources", "eventResources", allow=anyone, stale=True)
def event_resources(event_id: UUID) -> Page[ResourceView] | None:
    """Where to read more about an event; null when the caller may not see the event."""
