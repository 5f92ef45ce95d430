"""Mail servers over SMTP."""

from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from muster.kit.mail.delivery import NotTaken, Refused
from muster.settings import Settings

# Of each command and answer; a server that is slower is asked again later.
_TIMEOUT_SECONDS = 20.0


async def send(settings: Settings, message: EmailMessage) -> None:
    """Hand a message to the server that `SMTP_URL` names.

    `smtp:` takes up TLS when the server offers it, `smtp+starttls:` insists, `smtps:` begins with it.
    Raises Refused for a 5xx answer, NotTaken for a 4xx one and for a server that cannot be reached or trusted.
    """
    try:
        async with _client(settings) as client:
            await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as refusal:
        answer = refusal.recipients[0]
        raise _verdict(answer.code)(f"{answer.code} {answer.message}") from None
    except aiosmtplib.SMTPAuthenticationError as refusal:
        # Ours to put right, not the mail's fault: with other credentials it can still be sent.
        raise NotTaken(f"{refusal.code} {refusal.message}") from None
    except aiosmtplib.SMTPResponseException as refusal:
        raise _verdict(refusal.code)(f"{refusal.code} {refusal.message}") from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
        raise NotTaken(str(failure) or type(failure).__name__) from None


async def reach(settings: Settings) -> None:
    """Connect and sign in as for sending, and send nothing. Raises NotTaken when that does not work."""
    try:
        async with _client(settings):
            return
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
        raise NotTaken(str(failure) or type(failure).__name__) from None


def _client(settings: Settings) -> aiosmtplib.SMTP:
    """A client that connects and signs in when it is entered. Raises NotTaken without a server to connect to."""
    if settings.mail.smtp_url is None:
        raise NotTaken("SMTP_URL is not set")
    server = urlsplit(settings.mail.smtp_url)
    return aiosmtplib.SMTP(
        hostname=server.hostname,
        port=server.port,
        username=unquote(server.username) if server.username else None,
        password=unquote(server.password) if server.password else None,
        use_tls=server.scheme == "smtps",
        start_tls=None if server.scheme == "smtp" else server.scheme == "smtp+starttls",
        timeout=_TIMEOUT_SECONDS,
    )


def _verdict(code: int) -> type[Refused | NotTaken]:
    """RFC 5321, section 4.2.1: 5xx is for good, anything else may be different next time."""
    return Refused if 500 <= code < 600 else NotTaken
