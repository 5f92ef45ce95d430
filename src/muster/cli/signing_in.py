"""Signing in at the command line, by a code that is typed in a browser."""

import time
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from muster.cli.logins import Refused, as_login, ask, checked_address, device_name, forget, fresh, keep, kept
from muster.cli.output import JsonFlag, show
from muster.kit.processes import CannotRun

_WAITS = {"AUTHORIZATION_PENDING", "SLOW_DOWN"}


def login(
    *,
    url: Annotated[str, Parameter(help="Where the API is.")] = "http://localhost:8000",
    as_json: JsonFlag = False,
) -> None:
    """Sign in to a running Muster: open the page that is shown, in any browser, and let this machine in there.

    What it is given is kept in your configuration folder, for you alone. Example: muster login --url https://api.example.org
    """
    address = checked_address(url)
    try:
        begun = ask(address, "POST", "/auth/device", body={"name": device_name()})
        page, code = begun["verificationUriComplete"], begun["userCode"]
        print(f"Open {page} and let this machine in. Its code is {code}.", flush=True)
        session = _let_in(address, begun)
    except Refused as error:
        raise CannotRun(str(error)) from None
    path = keep(as_login(address, session))
    name = session["user"]["name"]
    show(
        {"address": address, "user": session["user"]}, f"You are {name} at {address}, kept in {path}.", as_json=as_json
    )


def _let_in(address: str, begun: dict[str, str]) -> dict[str, dict[str, str]]:
    """The session, once the person has decided. Raises Refused, CannotRun when they do not in time."""
    pause, ends = float(begun["interval"]), datetime.fromisoformat(begun["expiresAt"])
    while datetime.now(UTC) < ends:
        time.sleep(pause)
        try:
            session: dict[str, dict[str, str]] = ask(
                address, "POST", "/auth/device/session", body={"deviceCode": begun["deviceCode"]}
            )
        except Refused as error:
            if error.code not in _WAITS:
                raise
            # RFC 8628, section 3.5: whoever is too fast waits five seconds longer from then on.
            pause += 5 * (error.code == "SLOW_DOWN")
        else:
            return session
    raise CannotRun("Nobody let this machine in in time: `muster login` begins anew.")


def logout(*, as_json: JsonFlag = False) -> None:
    """Sign out at the server, and keep nothing here.

    Example: muster logout
    """
    address = kept().address
    try:
        ask(address, "POST", "/auth/logout", token=fresh().access_token)
        told = "You are signed out"
    except (Refused, CannotRun) as error:
        told = f"Nothing is kept here any more, but the server did not hear of it ({error})"
    forget()
    show({"address": address}, f"{told}.", as_json=as_json)


def whoami(*, as_json: JsonFlag = False) -> None:
    """Show who is signed in here, and where.

    Example: muster whoami
    """
    login = fresh()
    try:
        person = ask(login.address, "GET", "/me", token=login.access_token)
    except Refused as error:
        raise CannotRun(f"{error} `muster login` signs you in again.") from None
    show(
        {"address": login.address, "user": person},
        f"{person['name']} ({person['email']}) at {login.address}",
        as_json=as_json,
    )
