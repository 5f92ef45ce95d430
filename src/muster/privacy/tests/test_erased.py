"""After an erasure nothing of the person is found, wherever one looks; of everybody else, all is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.conninfo import conninfo_to_dict

from muster.identity.tests.people import PASSWORD, register
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.storage.storage import folder_of, storage_of
from muster.privacy.rules import GRACE, SETTLING
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.people import Standing
from muster.testing.search import places_of
from muster.testing.town import Town, make_event
from muster.testing.work import working

_NAME, _MAIL = "Zuzanna Wrzesniewska", "zuzanna.w@mailbox.example"
_SAID, _MEANT, _TITLE = "Quagga sighting at noon", "Quaga sighting at noon", "Okapi evening"
_ADDRESS, _NOTE = "Thylacine Alley 7", "Aurochs behaviour"
_BIO, _HOME = "Keeps a numbat", "Dodo upon Quoll"
_AGENDA, _ASKED, _ANNOUNCED, _LINK, _GUEST, _TAG = (
    "Kakapo keynote",
    "Axolotl or olm",
    "Bring a tapir",
    "Dugong door",
    "Saola Sixpence",
    "narwhal nook",
)
_STRINGS = [_NAME, _MAIL, _SAID, _MEANT, _TITLE, _ADDRESS, _NOTE, _BIO, _HOME, "zuzanna"]
_STRINGS += [_AGENDA, _ASKED, _ANNOUNCED, _LINK, _GUEST, _TAG]


async def _organise(them: Client, event_id: UUID) -> None:
    """Write whatever organisers write about an event of their own."""
    programme = {
        "agenda": [{"title": _AGENDA, "hosts": [{"name": _GUEST}]}],
        "faqs": [{"question": _ASKED, "answer": _AGENDA}],
        "resources": [{"title": _AGENDA, "url": "https://games.example/rules"}],
    }
    (await them.call("updateEventProgramme", id=event_id, input=programme)).ok()
    (await them.call("announce", eventId=event_id, content=_ANNOUNCED)).ok()
    (await them.call("createEventInviteLink", eventId=event_id, input={"label": _LINK})).ok()
    (await them.call("repeatEvent", eventId=event_id, rule="FREQ=DAILY;COUNT=2")).ok()
    asked = {"questions": [{"kind": "TEXT", "label": _ASKED, "required": False}]}
    (await them.call("updateEventJoinForm", eventId=event_id, input=asked)).ok()


async def _live(town: Town) -> UUID:
    """Somebody with something in every corner, who then deletes their account; answers with who."""
    service = town.service
    (await Client(service).call("register", input={"name": _NAME, "email": _MAIL, "password": PASSWORD})).ok()
    await change(service.urls, "update users set verified_at = now() where email = $1", _MAIL)
    session: Any = (await Client(service).call("login", email=_MAIL, password=PASSWORD)).ok()
    them, owner = Client(service, session["accessToken"]), town.people[Standing.OWNER].client
    theirs = await make_event(them, title=_TITLE, description=_TITLE, address=_ADDRESS, tags=[_TAG])
    (await owner.call("joinEvent", eventId=theirs)).ok()
    await _organise(them, theirs)
    said = (await them.with_key("their-key").call("sendEventMessage", eventId=theirs, content=_MEANT)).ok()
    (await them.call("editEventMessage", eventId=theirs, id=said["id"], content=_SAID)).ok()
    elsewhere = await make_event(owner, title="Another one")
    (await them.call("joinEvent", eventId=elsewhere, guests=[{"name": _GUEST}])).ok()
    (await owner.call("kickMember", eventId=elsewhere, userId=session["user"]["id"], note=_NOTE)).ok()
    (await them.call("updateMyProfile", input={"bioShort": _BIO, "bioLong": _BIO, "city": _HOME})).ok()
    (await them.call("setUsername", username="zuzanna-w")).ok()
    host = town.people[Standing.OTHER_TENANT].client
    (await host.call("inviteMember", input={"email": _MAIL})).ok()
    (await them.call("requestExport")).ok()
    (await Client(service).call("forgotPassword", email=_MAIL)).ok()
    for _ in range(5):
        await Client(service).call("login", email=_MAIL, password="wrong horse battery")
    (await them.call("deleteAccount")).ok()
    return UUID(session["user"]["id"])


async def test_of_an_erased_person_nothing_is_found_in_any_table_or_file(town: Town, server: EmbeddedPostgres) -> None:
    urls = town.service.urls
    everything = server.superuser_url(str(conninfo_to_dict(urls.owner)["dbname"]))
    async with working(urls) as work:
        user_id = await _live(town)
        await work.quiet()
        before = places_of(everything, _STRINGS)
        wanted = {"users", "events", "messages", "profiles", "invitations", "event_announcements", "event_invite_links"}
        wanted |= {
            "event_series",
            "event_join_forms",
            "event_members",
            "event_agenda_hosts",
            "event_tags",
            "event_faqs",
        }
        assert {each.split(" in ")[1] for each in before} >= {f"public.{table}" for table in wanted}
        files = storage_of(town.service.settings)
        assert len(await files.paths(folder_of(user_id=user_id))) == 1, "their export"
        now = datetime.now(UTC)
        await work.pass_to(now + GRACE)
        for hours in (1, 2):
            # The second time what the first one changed is folded into the tallies, and their notes are gone.
            await work.pass_to(now + GRACE + SETTLING + timedelta(hours=hours))
    folder = town.service.settings.files.folder
    assert places_of(everything, [*_STRINGS, f"/{user_id}/"], folder=folder) == []
    assert await files.paths(folder_of(user_id=user_id)) == []
    assert await value(urls, "select erased_at is not null from departures where id = $1", user_id)
    assert await value(urls, "select content from messages where id = $1", town.message_id) == "What is on in main?"
    facts = await ask(urls, "select count(*), count(position) from facts")
    assert facts[0][0] == facts[0][1] > 0


async def test_their_mail_can_be_registered_again_by_whoever_has_it_then(town: Town) -> None:
    urls = town.service.urls
    async with working(urls) as work:
        first = await _live(town)
        now = datetime.now(UTC)
        for each in (GRACE, GRACE + SETTLING):
            await work.pass_to(now + each)
    second = await register(town.service, _MAIL)
    assert second != first
