"""Delivery: once when all goes well, again when it does not, never for good reason, and never with a line too many."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import pytest

from muster.adapters import smtp
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.facts import Fact
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.kit.mail import delivery
from muster.kit.mail.delivery import Delivery, backoff
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.mail.posting import MailPosted, post
from muster.kit.mail.tests.post_office import post_office
from muster.kit.words import Section
from muster.kit.work.errands import outside
from muster.kit.work.handlers import on
from muster.kit.work.jobs import run_jobs
from muster.kit.work.sequencer import Sequencer
from muster.kit.work.tests.support import TENANT, eventually, record, running, services_on
from muster.testing.below import ask, change
from muster.testing.serving import settings_for

HOSTILE = "Eve\r\nBcc: all@example.org\x00 <script>alert(1)</script> {{ 7*7 }} </mj-text>"
TO = "ann@example.org"
STATES = "select state, attempts, error from mails"


class Asked(Fact):
    """What the tests record, and a mail follows."""

    kind: ClassVar[str] = "test.asked"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    subject: str = "Hello"
    times: int = 1
    language: str | None = None


class HelloMail(Mail):
    """What the tests send; nothing at all with an empty subject."""

    kind: ClassVar[str] = "test.hello"
    subject: str

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        return Letter(values={"subject": self.subject}, link="https://app.example/?a=1&b=2") if self.subject else None

    @classmethod
    def words(cls, language: str) -> Section:
        said = {"en": "Hello, {subject}", "de": "Hallo, {subject}"}.get(language, "{subject}")
        texts: dict[str, str | list[str]] = {
            "subject": "{subject}",
            "paragraphs": [said],
            "button": "{subject}",
            "footnote": "A test",
        }
        return Section(cls.kind, language, texts)


async def say_hello(ctx: Ctx, fact: Asked) -> None:
    for _ in range(fact.times):
        mail = HelloMail(subject=fact.subject)
        await post(ctx, mail, user_id=fact.user_id, address=TO, language=fact.language)


@asynccontextmanager
async def at_work(urls: Urls, url: str | None) -> AsyncIterator[Services]:
    """A worker that sends through the mail server at `url`, or through none."""
    on(Asked, say_hello)
    on(MailPosted, outside(Delivery(smtp.send), at_once=2))
    sequencer = Sequencer(urls.worker)
    async with services_on(urls.worker, sequencer.wake) as plain, running(sequencer.run):
        environ = {} if url is None else {"SMTP_URL": url}
        services = Services(plain.database, settings_for(urls, **environ), plain.gate, sequencer.wake)
        async with running(partial(run_jobs, services, urls.worker)):
            yield services


async def in_state(urls: Urls, state: str, number: int = 1) -> None:
    """Wait until so many mails are in a state."""
    async with asyncio.timeout(15):
        while [row[0] for row in await ask(urls, STATES)] != [state] * number:  # noqa: ASYNC110 - a database
            await asyncio.sleep(0.02)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    content = part.get_content()
    assert isinstance(content, str)
    return content


async def test_a_mail_is_delivered_once_however_often_its_handler_posts_it(urls: Urls) -> None:
    async with post_office() as office, at_work(urls, office.url) as services:
        await record(services, Asked(user_id=new_id(), times=3))
        await in_state(urls, "SENT")
    assert len(office.taken) == office.tried == 1
    message = office.taken[0]
    (mail_id,) = (await ask(urls, "select id from mails"))[0]
    assert message["Message-ID"] == f"<{mail_id}@localhost>"
    assert (message["To"], message["From"], message["Subject"]) == (TO, "Muster <no-reply@localhost>", "Hello")
    assert message["Auto-Submitted"] == "auto-generated"
    assert "https://app.example/?a=1&b=2" in body(message, "plain")
    assert 'href="https://app.example/?a=1&amp;b=2"' in body(message, "html")


async def test_it_is_written_in_the_language_of_its_reader(urls: Urls) -> None:
    async with post_office() as office, at_work(urls, office.url) as services:
        await record(services, Asked(user_id=new_id(), language="de-AT"))
        await in_state(urls, "SENT")
        await record(services, Asked(user_id=new_id(), language="sv"))
        await in_state(urls, "SENT", 2)
    german, other = office.taken
    assert body(german, "plain").startswith("Hallo, Hello")
    assert '<html lang="de"' in body(german, "html")
    assert body(other, "plain").startswith("Hello, Hello")


async def test_nothing_a_person_is_called_becomes_a_header_or_markup(urls: Urls) -> None:
    async with post_office() as office, at_work(urls, office.url) as services:
        await record(services, Asked(user_id=new_id(), subject=HOSTILE.replace("\x00", "\x01")))
        await in_state(urls, "SENT")
    message = office.taken[0]
    assert message["Bcc"] is None
    assert message["Subject"].strip() == "Eve Bcc: all@example.org <script>alert(1)</script> {{ 7*7 }} </mj-text>"
    html = body(message, "html")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} &lt;/mj-text&gt;" in html
    assert "<script>alert(1)</script> {{ 7*7 }}" in body(message, "plain")


@pytest.mark.parametrize("answer", ["451 come again", "421 too many"])
async def test_what_is_not_taken_is_sent_again(urls: Urls, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(delivery, "backoff", lambda _attempt: timedelta(milliseconds=20))
    async with post_office() as office:
        office.answers = [answer] * 10  # more often than a job that fails is tried
        async with at_work(urls, office.url) as services:
            await record(services, Asked(user_id=new_id()))
            await in_state(urls, "SENT")
    assert (office.tried, len(office.taken)) == (11, 1)
    assert await ask(urls, STATES) == [("SENT", 11, None)]


async def test_what_is_refused_is_not_sent_again(urls: Urls) -> None:
    async with post_office() as office:
        office.answers = ["550 no such person"]
        async with at_work(urls, office.url) as services:
            await record(services, Asked(user_id=new_id()))
            await in_state(urls, "FAILED")
            await eventually(urls.worker, 0, "select count(*) from pgqueuer.pgqueuer")
    assert office.tried == 1
    assert await ask(urls, STATES) == [("FAILED", 1, "550 no such person")]


async def test_a_server_that_is_away_is_waited_for_but_not_for_ever(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "backoff", lambda _attempt: timedelta(milliseconds=20))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = f"smtp://127.0.0.1:{listener.getsockname()[1]}"
    async with at_work(urls, nowhere) as services:
        await record(services, Asked(user_id=new_id()))
        async with asyncio.timeout(15):
            while not await ask(urls, "select 1 from mails where attempts > 2 and state = 'WAITING'"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await change(urls, "update mails set created_at = created_at - interval '1 day'")
        await in_state(urls, "FAILED")


async def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_id(urls: Urls) -> None:
    async with post_office() as office:
        died = asyncio.Event()

        async def send_and_die(settings: Any, message: EmailMessage) -> None:
            await smtp.send(settings, message)
            if not died.is_set():
                died.set()
                # What the worker's end looks like from inside a handler; its job is taken up by the next worker.
                raise asyncio.CancelledError

        on(Asked, say_hello)
        on(MailPosted, outside(Delivery(send_and_die), at_once=2))
        sequencer = Sequencer(urls.worker)
        async with services_on(urls.worker, sequencer.wake) as plain, running(sequencer.run):
            services = Services(plain.database, settings_for(urls, SMTP_URL=office.url), plain.gate, sequencer.wake)
            async with running(partial(run_jobs, services, urls.worker)):
                await record(services, Asked(user_id=new_id()))
                await in_state(urls, "SENT")
    first, second = office.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert await ask(urls, STATES) == [("SENT", 2, None)]


async def test_without_a_mail_server_mail_is_kept(urls: Urls) -> None:
    async with at_work(urls, None) as services:
        await record(services, Asked(user_id=new_id()))
        await in_state(urls, "KEPT")


async def test_what_there_is_nothing_left_to_tell_of_is_dropped(urls: Urls) -> None:
    async with post_office() as office, at_work(urls, office.url) as services:
        await record(services, Asked(user_id=new_id(), subject=""))
        await in_state(urls, "DROPPED")
    assert office.tried == 0


async def test_only_a_handler_posts(urls: Urls) -> None:
    async with services_on(urls.worker) as services:
        ctx: Callable[..., Any] = Ctx
        async with services.database.transaction(TENANT) as tx:
            with pytest.raises(LookupError, match="only a handler"):
                await post(
                    ctx(tx, TENANT, None, None, "", services.settings),
                    HelloMail(subject="x"),
                    user_id=new_id(),
                    address=TO,
                )


def test_waits_double_up_to_an_hour() -> None:
    minutes = [backoff(attempt).total_seconds() / 60 for attempt in (1, 2, 3, 7, 12, 1000)]
    for waited, about in zip(minutes, (1, 2, 4, 60, 60, 60), strict=True):
        assert about * 0.75 <= waited <= about * 1.25
