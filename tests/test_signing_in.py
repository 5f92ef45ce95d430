"""Signing in at the command line by a code, and tokens and keys for scripts."""

import asyncio
import json
import re
import stat
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from muster.cli.logins import checked_address
from muster.kit.db.migrate import Urls
from muster.kit.processes import CannotRun
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.people import founder_of, sign_in
from muster.testing.serving import Service, serving
from muster.testing.shell import database_settings, muster, started


def run(folder: Path, *arguments: str, urls: Urls | None = None) -> tuple[int, str, str]:
    """What the command line says, with its configuration in the folder."""
    settings = {} if urls is None else {"JWT_SECRET": "x" * 32, **database_settings(urls)}
    done = muster(*arguments, folder=folder, MUSTER_CONFIG_DIR=str(folder / "config"), **settings)
    return done.returncode, done.stdout, done.stderr


async def let_in(service: Service, folder: Path, client: Client) -> str:
    """Sign a machine in as somebody; answers with what it said last."""
    process = started("login", "--url", service.address, folder=folder, MUSTER_CONFIG_DIR=str(folder / "config"))
    assert process.stdout is not None
    shown = await asyncio.to_thread(process.stdout.readline)
    found = re.search(r"Its code is ([A-Z-]+)\.", shown)
    assert found is not None, shown
    (await client.call("decideDevice", userCode=found[1], approve=True)).ok()
    said, complained = await asyncio.to_thread(process.communicate)
    assert (process.returncode, complained) == (0, "")
    return said


async def test_a_machine_is_signed_in_by_code_until_it_is_signed_out(urls: Urls, tmp_path: Path) -> None:
    async with serving(urls) as service:
        ann = await sign_in(service, "ann")
        assert "Nobody is signed in here" in (await asyncio.to_thread(run, tmp_path, "whoami"))[2]
        assert "You are ann" in await let_in(service, tmp_path, ann.client)
        file = tmp_path / "config" / "login.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        who = json.loads((await asyncio.to_thread(run, tmp_path, "whoami", "--json"))[1])
        assert (who["user"]["id"], who["address"]) == (str(ann.user_id), service.address)
        # An access token that is about to end is renewed before it is handed out.
        kept = json.loads(file.read_text())
        file.write_text(json.dumps(kept | {"expiresAt": "2001-01-01T00:00:00Z"}))
        token = (await asyncio.to_thread(run, tmp_path, "token"))[1].strip()
        # Two access tokens of one second are the same text; a refresh token never comes twice.
        assert json.loads(file.read_text())["refreshToken"] != kept["refreshToken"]
        assert (await replace(ann.client, token=token).call("me")).ok()["id"] == str(ann.user_id)
        assert (await asyncio.to_thread(run, tmp_path, "logout"))[0] == 0
        assert not file.exists()
        assert (await replace(ann.client, token=token).call("me")).code == "UNAUTHENTICATED"


async def test_keys_are_minted_for_people_and_programs(urls: Urls, tmp_path: Path) -> None:
    async with serving(urls) as service:
        tenant_id: UUID = await value(urls, "select id from tenants where is_default")
        founder = await founder_of(service, UUID(int=tenant_id.int))
        made = (await founder.client.call("createServiceAccount", input={"name": "Calendar import"})).ok()
        email = await value(urls, "select email from users where id = $1", founder.user_id)

        async def mint(*arguments: str) -> tuple[int, str, str]:
            return await asyncio.to_thread(run, tmp_path, "token", *arguments, urls=urls)

        for arguments, holder in (
            (("--service", "Calendar import"), made["user"]["id"]),
            (("--service", made["id"], "--scope", "event:create", "--days", "1"), made["user"]["id"]),
            ((email, "--key", "nightly"), str(founder.user_id)),
        ):
            code, said, complained = await mint(*arguments, "--json")
            assert (code, complained) == (0, "")
            told = json.loads(said)
            assert (await Client(service, told["key"]).call("events")).status == 200
            held = await ask(
                urls, "select user_id::text, expires_at is not null from api_keys where id = $1", UUID(told["id"])
            )
            assert held == [(holder, True)]
        assert await value(urls, "select count(*) from audit_rows where verb = 'token' and actor_kind = 'system'") == 3
        wrong: list[tuple[tuple[str, ...], str]] = [
            (("--service", "Nobody"), "no service account 'Nobody'"),
            (("--service", "Calendar import", "--scope", "audit:read"), "gives more than you hold"),
            ((email, "--service", "Calendar import"), "name one of them"),
            (("--service", "Calendar import", "--days", "0"), "--days is 0"),
        ]
        for given, problem in wrong:
            code, said, complained = await mint(*given)
            assert (code, said) == (1, "")
            assert problem in complained
        await change(urls, "update members set status = 'SUSPENDED' where is_service")
        assert "no active member" in (await mint("--service", "Calendar import"))[2]


@pytest.mark.parametrize(
    "address", ["http://example.org", "ftp://localhost", "localhost:8000", "", "http://localhost.example.org"]
)
def test_tokens_are_sent_nowhere_in_the_clear(address: str) -> None:
    with pytest.raises(CannotRun):
        checked_address(address)
