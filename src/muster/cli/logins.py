"""Signed in at the command line: where that is kept, and how the API of another machine is asked."""

import os
import platform
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from muster.kit.processes import CannotRun
from muster.kit.sources import THIS_MACHINE

_SPARE = timedelta(seconds=30)
"""A token that ends sooner is renewed first."""
_TIMEOUT_SECONDS = 15.0


class Login(msgspec.Struct, rename="camel", frozen=True):
    """Who is signed in, and where. address: of the API."""

    address: str
    access_token: str
    refresh_token: str
    expires_at: datetime


class Refused(Exception):
    """The API says no. code: as it names it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def checked_address(address: str) -> str:
    """Where an API is asked. Raises CannotRun for one that tokens must not be sent to."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotRun(f"{address!r} is no address such as https://api.example.org.")
    if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        raise CannotRun(f"{address} would carry tokens in the clear: write https://.")
    return address.rstrip("/")


def device_name() -> str:
    """What this machine calls itself where its person lets it in."""
    return f"muster on {platform.node() or 'a machine'}"[:80]


def ask(address: str, method: str, path: str, *, token: str | None = None, body: object = None) -> Any:
    """What the API answers; None without a body. Raises Refused, CannotRun where nobody answers."""
    import httpx  # takes a while to load, and few verbs need it

    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    try:
        answer = httpx.request(method, f"{address}/api/v1{path}", json=body, headers=headers, timeout=_TIMEOUT_SECONDS)
        told = msgspec.json.decode(answer.content) if answer.content else None
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise CannotRun(f"{address} does not answer as Muster does: {error}") from None
    if answer.is_success:
        return told
    problem = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    raise Refused(str(problem.get("code", answer.status_code)), str(problem.get("detail", answer.reason_phrase)))


def as_login(address: str, session: Any) -> Login:
    """A session that the API has just opened or renewed."""
    return msgspec.convert({"address": address, **session}, Login)


def keep(login: Login) -> Path:
    """Keep who is signed in, where only this user of the machine reads it; answers with the place."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made with mode 0600, and put in place whole: a run that is killed leaves the old one.
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(login))
    Path(draft).replace(path)
    return path


def forget() -> None:
    """Keep nobody signed in any more."""
    _path().unlink(missing_ok=True)


def kept() -> Login:
    """Who is signed in. Raises CannotRun when nobody is."""
    try:
        return msgspec.json.decode(_path().read_bytes(), type=Login)
    except FileNotFoundError:
        raise CannotRun("Nobody is signed in here: `muster login` signs you in.") from None
    except msgspec.DecodeError as error:
        raise CannotRun(f"{_path()} is not what `muster login` writes: {error}") from None


def fresh() -> Login:
    """Who is signed in, with an access token that is good for a while. Raises CannotRun."""
    login = kept()
    if login.expires_at - _SPARE > datetime.now(UTC):
        return login
    try:
        # Two at once get the same successor, within ten seconds.
        session = ask(login.address, "POST", "/auth/refresh", body={"refreshToken": login.refresh_token})
    except Refused as error:
        raise CannotRun(f"{error} `muster login` signs you in again.") from None
    renewed = as_login(login.address, session)
    keep(renewed)
    return renewed


def _path() -> Path:
    own = os.environ.get("MUSTER_CONFIG_DIR")
    home = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(own) / "login.json" if own else Path(home) / "muster" / "login.json"
