"""Writing mail: one layout for every letter, as text and as HTML, and the message that carries both."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from uuid import UUID

import mrml
import msgspec
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from muster.kit.brand import Brand
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.words import FALLBACK, language_of
from muster.settings import Settings

_HERE = Path(__file__).parent


class Button(msgspec.Struct, frozen=True):
    """What a letter asks for: the words of its button, and where that leads."""

    label: str
    link: str


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What a person reads, in plain words without any markup. footnote: why they get it."""

    subject: str
    paragraphs: tuple[str, ...]
    button: Button | None = None
    footnote: str | None = None
    language: str = FALLBACK


class Written(msgspec.Struct, frozen=True):
    """A letter as it is sent."""

    subject: str
    text: str
    html: str


def write_letter(mail: Mail, letter: Letter, locale: str | None, settings: Settings, brand: Brand) -> Written:
    """A letter as its reader gets it. locale: what they read; None for what the community does. Raises WordsMissing."""
    return write(worded(mail, letter, language_of(locale, brand.locale)), settings, brand)


def worded(mail: Mail, letter: Letter, language: str) -> Wording:
    """A letter in words of a language. Raises WordsMissing."""
    words, values = mail.words(language), letter.values
    label = words.text("button", values)
    return Wording(
        subject=words.text("subject", values) or mail.kind,
        paragraphs=words.texts_of("paragraphs", values),
        button=None if label is None or letter.link is None else Button(label, letter.link),
        footnote=words.text("footnote", values),
        language=language,
    )


def write(wording: Wording, settings: Settings, brand: Brand) -> Written:
    """A letter in the layout of this deployment, with the look of a community. What stands in it is text: nothing of it
    becomes markup.
    """
    subject = _one_line(wording.subject)
    values = {"letter": wording, "subject": subject, "home": settings.addresses.app, "brand": brand}
    return Written(subject, _text_layout().render(values), _html_layout().render(values))


def message_of(written: Written, settings: Settings, *, mail_id: UUID, address: str, at: datetime) -> EmailMessage:
    """The message to hand to a mail server. Its id is made from the mail's: sent twice, it is known as one.

    address: whom it is to. at: when it was posted. Raises ValueError for an address that no header can hold.
    """
    sender = settings.mail.sender
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=address)
    message["Subject"] = written.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_id}@{sender.domain}>"
    # RFC 3834: out-of-office replies are not sent to what a program wrote.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(written.text)
    message.add_alternative(written.html, subtype="html")
    return message


def _one_line(text: str) -> str:
    """Text without line breaks and control characters, as a header needs it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


@cache
def _html_layout() -> Template:
    """The layout as HTML. MJML is compiled before any value is put in, so no value can be taken for markup by it."""
    compiled = mrml.to_html((_HERE / "layout.mjml").read_text()).content
    return SandboxedEnvironment(autoescape=True, undefined=StrictUndefined).from_string(compiled)


@cache
def _text_layout() -> Template:
    source = (_HERE / "layout.txt").read_text()
    # Plain text has no markup to protect.
    environment = SandboxedEnvironment(autoescape=False, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(source)
