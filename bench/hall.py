"""The hall: one PostgreSQL with the rows, and the processes of the contestants in it."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import jwt
import psutil
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.data import Scale, clone, sample, template, work_folder
from bench.scenarios import CALLERS
from bench.servers import SECRET, Fleet, Person, install_peer, muster, node_version, peer
from bench.statements import Statements
from muster.identity.commands.sessions import token_keys
from muster.kit.db.embedded import EmbeddedPostgres
from muster.settings import Security, Settings

_SESSIONS = """
insert into sessions (id, user_id, generation, created_at, refreshed_at, expires_at)
select uuidv7(), id, 0, now(), now(), now() + interval '1 day'
  from (select id from users where email like 'person%%' order by id limit %s) as people
returning user_id, id
"""


@dataclass
class Hall:
    """All that runs while things are measured: one PostgreSQL, and the processes of the contestants.

    count: processes of each. say: tells people how far it is.
    """

    stack: ExitStack
    count: int
    say: Callable[[str], None]
    folder: Path = field(default_factory=lambda: work_folder(Settings.load().data_dir))
    fleets: list[Fleet] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server = self.stack.enter_context(EmbeddedPostgres(self.folder / "postgres"))
        self.postmaster = psutil.Process(self.server.pid)
        self.urls = self.stack.enter_context(clone(self.server, template(self.server, Scale(), self.say)))
        self.sample = sample(self.urls)
        self.superuser = self.server.superuser_url("muster")
        self.versions["Python"] = sys.version.split()[0]

    def start_muster(self, environ: Mapping[str, str] | None = None) -> Fleet:
        """Start ours, and sign the callers in through the front door. environ: settings of this occasion."""
        self.say("Muster")
        keys = token_keys(Security(SECRET))

        def sign(person: Person) -> str:
            return keys.sign(user_id=person.user_id, session_id=person.session_id, now=datetime.now(UTC))[0]

        fleet = self.stack.enter_context(muster(self.urls, environ or {}, count=self.count, folder=self.folder))
        callers = tuple(_signed_in(fleet.ports[0], f"Caller {number}") for number in range(CALLERS))
        self.fleets.append(replace(fleet, sign=sign, callers=callers))
        return self.fleets[-1]

    def start_peer(self, environ: Mapping[str, str] | None = None) -> Fleet:
        """Start theirs, with tokens of its own for the same sessions."""
        node = install_peer(self.folder, self.say)
        self.say("the peer")
        self.versions["Node.js"] = node_version(node)
        key, tenant = Ed25519PrivateKey.generate(), str(self.sample.tenant)

        def sign(person: Person) -> str:
            claims = {"sub": str(person.user_id), "sid": str(person.session_id)}
            return jwt.encode(claims | {"exp": datetime.now(UTC) + timedelta(hours=1)}, key, algorithm="EdDSA")

        starting = peer(node, self.superuser, tenant, key, environ or {}, count=self.count, folder=self.folder)
        self.fleets.append(replace(self.stack.enter_context(starting), sign=sign, callers=self.fleets[0].callers))
        return self.fleets[-1]

    def people(self, count: int) -> list[Person]:
        """Sign in so many of the people who were there before, without a door."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            return [Person(*row) for row in connection.execute(_SESSIONS, [count]).fetchall()]

    def statements(self) -> Statements:
        """The statements of the first caller."""
        caller = self.fleets[0].callers[0]
        return Statements(self.sample, caller.user_id, caller.session_id)


def _signed_in(port: int, name: str) -> Person:
    answer = httpx.post(f"http://127.0.0.1:{port}/api/v1/auth/dev-login", json={"name": name}, timeout=30)
    claims = jwt.decode(answer.raise_for_status().json()["accessToken"], options={"verify_signature": False})
    return Person(UUID(claims["sub"]), UUID(claims["sid"]))
