"""The demo community: loaded once, whole or not at all, and never in production."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from cyclopts import Parameter

from muster.cli.operator import Operator, operating
from muster.cli.output import JsonFlag, show
from muster.events.demo.gatherings import CLUB_GATHERINGS, GATHERINGS
from muster.events.seed import Cast, bring_in_conferences, gather, go_to_conferences, name_categories
from muster.identity.passwords import hash_password
from muster.identity.queries import any_account, user_by_email
from muster.identity.seed import CALENDAR, PEOPLE, mail_of, open_accounts
from muster.kit.commands.staging import Stage
from muster.kit.ids import new_id
from muster.kit.processes import CannotRun
from muster.kit.secretfile import kept_secret
from muster.settings import Settings
from muster.tenancy.seed import CLUB, found_club, join_community
from muster.tenancy.teams.seed import form_teams

_SHOWN = {"nora": "owns the community", "milo": f"takes part, and owns the {CLUB.name}"}
"""Whom visitors may sign in as, as everybody else."""
# Two who load at once: one of them finds this held. Whoever is killed half-way has written nothing.
_ONE_AT_A_TIME = "select pg_try_advisory_xact_lock(hashtextextended('demo', 0))"
_PASSWORD_LENGTH = 12


class _Found(StrEnum):
    LOADED = "loaded"
    THERE = "already there"
    LEFT_OUT = "left out"


async def demo(
    *,
    first_start: Annotated[
        bool, Parameter(negative="", help="As `muster up` does it: only where nobody has an account yet.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Load the demo community unless it is there, and show who to sign in as and what to try.

    Example: muster demo
    """
    settings = Settings.load()
    if settings.is_production:
        raise CannotRun("The demo is not for production: all its people have one password.")
    # Made for this deployment: who cannot read this machine's files does not know it.
    password = kept_secret(settings.data_dir / "demo.password")[:_PASSWORD_LENGTH]
    async with operating("demo") as operator:
        found = await _load(operator, password, only_if_empty=first_start)
    _tell(settings, found, password, as_json=as_json)


async def _load(operator: Operator, password: str, *, only_if_empty: bool) -> _Found:
    """The whole demo in one transaction."""
    services, now = operator.services, datetime.now(UTC)
    async with services.database.transaction(operator.tenant_id) as tx:
        if not await tx.connection.fetchval(_ONE_AT_A_TIME):
            raise CannotRun("Somebody else loads the demo at this moment.")
        stage = Stage(tx, operator.tenant_id, services.settings, "the demo community", str(new_id()))
        async with stage.act("demo", None, now) as ctx:
            if await user_by_email(ctx, mail_of(CALENDAR)) is not None:
                return _Found.THERE
            if only_if_empty and (not services.settings.demo or await any_account(ctx)):
                return _Found.LEFT_OUT
        await _play(stage, await hash_password(password), now)
    return _Found.LOADED


async def _play(stage: Stage, hashed: str, now: datetime) -> None:
    long_ago = now - timedelta(days=30)
    people = await open_accounts(stage, long_ago, hashed)
    await join_community(stage, people, long_ago)
    await form_teams(stage, people, now - timedelta(days=25))
    cast = Cast(stage, people, now)
    conferences = await bring_in_conferences(cast, CALENDAR)
    await name_categories(cast, "nora")
    await gather(cast, GATHERINGS)
    await go_to_conferences(cast, list(PEOPLE), conferences)
    await found_club(stage, people, now - timedelta(days=20))
    await gather(cast, CLUB_GATHERINGS)


def _tell(settings: Settings, found: _Found, password: str, *, as_json: bool) -> None:
    api = settings.addresses.api
    accounts = [{"name": PEOPLE[key], "email": mail_of(key), "password": password} for key in _SHOWN]
    shown = [] if found == _Found.LEFT_OUT else accounts
    tries = [
        f"curl '{api}/api/v1/events?city=Krak%C3%B3w&first=3'",
        f"{api}/explore, what is on, as a list and on a map",
        f"{api}/docs and {api}/graphql in a browser",
        f"{api}/dev/mail, the mails that would have gone out",
    ]
    lines = [f"The demo community is {found}.", ""] if shown else []
    for account, is_what in zip(shown, _SHOWN.values(), strict=False):
        lines.append(f"  {account['name']} ({is_what}): {account['email']}, password {account['password']}")
    lines += ["", "Four things to try:", *(f"  {each}" for each in tries)]
    show({"demo": found, "accounts": shown, "try": tries}, "\n".join(lines), as_json=as_json)
