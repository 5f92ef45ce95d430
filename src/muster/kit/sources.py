"""Where settings are read from: the environment, a file `.env`, files that hold secrets; each value checked as it is read."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from muster.kit.processes import CannotRun
from muster.kit.secretfile import kept_secret
from muster.kit.store.address import StoreAddress

Word = TypeVar("Word", bound=str)

# RFC 7518, section 3.2: a key of HMAC-SHA256 is at least as long as its output, 32 bytes.
SHORTEST_SECRET = 32

THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class SettingError(CannotRun):
    """A setting has a value that Muster cannot run with; the message names it and says what to do."""


@dataclass(frozen=True)
class Bind:
    """Where something listens besides the API."""

    host: str
    port: int


@dataclass(frozen=True)
class Origin:
    """One setting as it was found, for `muster check`.

    Attributes:
        name: its name in the environment.
        shown: what Muster runs with, secrets masked; empty when unset.
        source: `environment`, `.env`, `default`, or the file it was read from.
        meaning: one line.
    """

    name: str
    shown: str
    source: str
    meaning: str


class Source:
    """Where settings are read from, with a note of what was found for each."""

    def __init__(self, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> None:
        self._layers = {"environment": environ, ".env": dotenv}
        self.origins: list[Origin] = []

    def text(self, name: str, default: str, meaning: str) -> str:
        value, origin = self._find(name)
        self._note(name, default if value is None else value, origin, meaning)
        return default if value is None else value

    def secret(self, name: str, kept: Path | None, meaning: str) -> str | None:
        """A secret, made and kept in a file when it is not set and there may be such a file."""
        value, origin = self._find(name)
        if value is None and kept is not None:
            value, origin = kept_secret(kept), str(kept)
        self._note(name, "***" if value else "", origin, meaning)
        return value

    def token(self, name: str, meaning: str) -> str | None:
        """A secret that lets somebody in, when it is set."""
        token = self.secret(name, None, f"{meaning}, at least {SHORTEST_SECRET} characters")
        if token is not None and len(token) < SHORTEST_SECRET:
            raise SettingError(f"{name} has {len(token)} characters: it needs {SHORTEST_SECRET} random ones or more.")
        return token

    def tokens(self, name: str, meaning: str) -> tuple[str, ...]:
        """Secrets with blanks between."""
        found = tuple((self.secret(name, None, f"{meaning}, with blanks between") or "").split())
        if short := [each for each in found if len(each) < SHORTEST_SECRET]:
            raise SettingError(f"{name} holds one of {len(short[0])} characters: each needs {SHORTEST_SECRET} or more.")
        return found

    def bind(self, name: str, meaning: str) -> Bind | None:
        value = self.text(name, "", meaning)
        if not value:
            return None
        parts = _split(name, f"//{value}")
        if not parts.hostname or not parts.port or parts.netloc != value:
            raise SettingError(f"{name} is {value!r}: it must be a host and a port such as 127.0.0.1:9100.")
        return Bind(parts.hostname, parts.port)

    def number(self, name: str, default: int, smallest: int, largest: int, meaning: str) -> int:
        value = self.text(name, str(default), meaning)
        if not value.isascii() or not value.isdecimal() or not smallest <= int(value) <= largest:
            raise SettingError(f"{name} is {value!r}: it must be a whole number from {smallest} to {largest}.")
        return int(value)

    def ratio(self, name: str, default: float, meaning: str) -> float:
        value = self.text(name, str(default), meaning)
        if not re.fullmatch(r"0(\.[0-9]+)?|1(\.0+)?|\.[0-9]+", value):
            raise SettingError(f"{name} is {value!r}: it must be a number from 0 to 1, such as 0.05.")
        return float(value)

    def choice(self, name: str, words: tuple[Word, ...], default: Word, meaning: str) -> Word:
        value = self.text(name, default, meaning).lower()
        for word in words:
            if value == word:
                return word
        raise SettingError(f"{name} is {value!r}: it must be one of {', '.join(words)}.")

    def address(self, name: str, default: str, meaning: str) -> str:
        value = self.text(name, default, meaning)
        parts = _split(name, value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingError(f"{name} is {value!r}: it must be an address such as https://example.org.")
        return value.rstrip("/")

    def address_or_none(self, name: str, meaning: str) -> str | None:
        if self._find(name)[0] is None:
            self._note(name, "", "default", meaning)
            return None
        return self.address(name, "", meaning)

    def database(self, name: str, meaning: str) -> str | None:
        value, origin = self._find(name)
        if value is None:
            self._note(name, "", origin, meaning)
            return None
        self._note(name, _masked_database(name, value), origin, meaning)
        return value

    def databases(self, name: str, meaning: str) -> tuple[str, ...]:
        """Addresses with blanks between."""
        value, origin = self._find(name)
        found = (value or "").split()
        self._note(name, " ".join(_masked_database(name, each) for each in found), origin, meaning)
        return tuple(found)

    def store(self, name: str, meaning: str) -> StoreAddress | None:
        value, origin = self._find(name)
        if value is None:
            self._note(name, "", origin, meaning)
            return None
        try:
            address = StoreAddress.of(value)
        except ValueError as error:
            raise SettingError(
                f"{name} must look like redis://:password@host:6379/0 or rediss://...: {error}."
            ) from error
        secret = f"{address.user}:***@" if address.password else ""
        self._note(name, f"{urlsplit(value).scheme}://{secret}{address}/{address.number}", origin, meaning)
        return address

    def dsn(self, name: str, meaning: str) -> str | None:
        value = self.secret(name, None, meaning)
        if value is None:
            return None
        parts = _split(name, value)
        if parts.scheme not in {"http", "https"} or not parts.username or not parts.path.rpartition("/")[2].isdigit():
            raise SettingError(f"{name} must look like https://key@sentry.example.org/1.")
        return value

    def mail_server(self, name: str, meaning: str) -> str | None:
        value, origin = self._find(name)
        if value is None:
            self._note(name, "", origin, meaning)
            return None
        parts = _split(name, value)
        if parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname or parts.path.strip("/"):
            raise SettingError(f"{name} must look like smtps://user:password@mail.example.org:465.")
        if parts.scheme == "smtp" and parts.username and parts.hostname not in THIS_MACHINE:
            raise SettingError(
                f"{name} would send its password in the clear: begin it with smtps: (port 465) or smtp+starttls: (587)."
            )
        user = f"{parts.username}:***@" if parts.username else ""
        self._note(name, f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}", origin, meaning)
        return value

    def mailbox(self, name: str, default: str, meaning: str) -> Address:
        value = self.text(name, default, meaning)
        display_name, address = parseaddr(value)
        try:
            mailbox = Address(display_name, addr_spec=address)
        except (MessageError, ValueError, IndexError):
            mailbox = Address()
        if not mailbox.username or not mailbox.domain or not value.isprintable():
            raise SettingError(f"{name} is {value!r}: it must be a mail address such as Muster <no-reply@example.org>.")
        return mailbox

    def _find(self, name: str) -> tuple[str | None, str]:
        """The value of a setting and where it stands. An empty value counts as unset."""
        for layer, values in self._layers.items():
            direct, path = values.get(name), values.get(f"{name}_FILE")
            if direct and path:
                raise SettingError(f"{name} and {name}_FILE are both set: remove one of them.")
            if direct:
                return direct, layer
            if path:
                return _contents(f"{name}_FILE", path), path
        return None, "default"

    def _note(self, name: str, shown: str, origin: str, meaning: str) -> None:
        self.origins.append(Origin(name, shown, origin, meaning))


def _masked_database(name: str, value: str) -> str:
    """An address of a database without its password. Raises SettingError when it is none."""
    parts = _split(name, value)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.username or not parts.path.strip("/"):
        raise SettingError(f"{name} must look like postgresql://user:password@host:5432/database.")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{parts.username}:***@{host}{parts.path}"


def _split(name: str, value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise SettingError(f"{name} is not an address: {error}.") from error
    return parts


def _contents(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name} names {path}, which cannot be read: {error}.") from error


def dotenv(path: Path) -> dict[str, str]:
    """The lines `NAME=value` of a file, quotes around a value taken off; comments and blank lines are skipped."""
    values: dict[str, str] = {}
    if not path.is_file():
        return values
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not separator:
            raise SettingError(f"Line {number} of {path} is not of the form NAME=value.")
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        values[name.strip()] = value[1:-1] if quoted else value
    return values


def data_home() -> str:
    """The user's data folder (XDG Base Directory Specification), or the system's when root runs Muster."""
    if os.geteuid() == 0:
        return "/var/lib/muster"
    base = os.environ.get("XDG_DATA_HOME", "")
    # The specification tells programs to ignore a relative path.
    return f"{base}/muster" if base.startswith("/") else "~/.local/share/muster"
