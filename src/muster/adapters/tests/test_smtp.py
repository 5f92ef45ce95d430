"""SMTP against a real server: encrypted where it must be, signed in where asked, and never a password in the clear."""

import ssl
from email.message import EmailMessage
from pathlib import Path

import pytest

from muster.adapters import smtp
from muster.kit.mail.delivery import NotTaken, Refused
from muster.kit.mail.tests.post_office import post_office
from muster.kit.sources import SettingError
from muster.settings import Settings
from muster.testing.certificates import own_certificate, server_tls

LOGIN = (b"ann@example.org", b"p@ss/word")
USER = "ann%40example.org:p%40ss%2Fword@"


def _settings(url: str, **environ: str) -> Settings:
    return Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32, "SMTP_URL": url, **environ})


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "muster@example.org", "ann@example.org", "Hello"
    message.set_content("Hello")
    return message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the post office."""
    return own_certificate(tmp_path_factory.mktemp("tls") / "post.pem")


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """What the server encrypts with."""
    return server_tls(certificate)


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
async def test_it_encrypts_and_signs_in(
    certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with post_office(tls=tls, login=LOGIN) as office:
        await smtp.send(_settings(office.url.replace("smtp://", f"{scheme}://{USER}")), _message())
    assert (len(office.taken), office.encrypted) == (1, True)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tls: ssl.SSLContext) -> None:
    async with post_office(tls=tls) as office:
        with pytest.raises(NotTaken, match=r"(?i)certificate"):
            await smtp.send(_settings(office.url.replace("smtp:", "smtp+starttls:")), _message())
    assert office.tried == 0


async def test_it_does_not_go_on_in_the_clear_where_it_must_not() -> None:
    async with post_office() as office:
        with pytest.raises(NotTaken, match="STARTTLS"):
            await smtp.send(_settings(office.url.replace("smtp:", "smtp+starttls:")), _message())
    assert office.tried == 0


async def test_wrong_credentials_are_ours_to_put_right(
    certificate: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with post_office(tls=tls, login=LOGIN) as office:
        with pytest.raises(NotTaken, match="535"):
            await smtp.send(_settings(office.url.replace("smtp://", "smtp+starttls://ann:wrong@")), _message())


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("450 busy", NotTaken), ("421 later", NotTaken), ("550 no such person", Refused), ("554 spam", Refused)],
)
async def test_answers_are_for_now_or_for_good(answer: str, verdict: type[Exception]) -> None:
    async with post_office() as office:
        office.answers = [answer]
        with pytest.raises(verdict, match=answer):
            await smtp.send(_settings(office.url), _message())


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("SMTP_URL", "smtp://ann:secret@mail.example.org", "smtps: "),
        ("SMTP_URL", "http://mail.example.org", "must look like"),
        ("SMTP_URL", "smtps://", "must look like"),
        ("SMTP_URL", "smtps://mail.example.org/path", "must look like"),
        ("SMTP_URL", "smtps://mail.example.org:mail", "not an address"),
        ("MAIL_FROM", "nobody", "must be a mail address"),
        ("MAIL_FROM", "Muster <>", "must be a mail address"),
        ("MAIL_FROM", "Muster\r\nBcc: x <a@b.example>", "must be a mail address"),
    ],
)
def test_a_setting_that_cannot_work_says_how_it_should_be(name: str, value: str, remedy: str) -> None:
    with pytest.raises(SettingError, match=remedy) as refused:
        Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32, name: value})
    assert "secret" not in str(refused.value)


def test_the_password_of_the_mail_server_is_never_shown() -> None:
    settings = _settings("smtps://ann:secret@mail.example.org:465", APP_URL="https://app.example.org")
    shown = {origin.name: origin.shown for origin in settings.origins}
    assert shown["SMTP_URL"] == "smtps://ann:***@mail.example.org:465"
    assert shown["MAIL_FROM"] == "Muster <no-reply@app.example.org>"
    assert "secret" not in repr(settings)
