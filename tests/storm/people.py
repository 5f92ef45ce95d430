"""People by the thousand, put into the database straight: registering them is not what a storm tests."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec

from muster.identity.commands import token_keys
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.settings import Security

SECRET = "a secret for tests that is long enough"  # noqa: S105 - not secret
"""What the processes of these tests sign tokens with."""

_SETTLE = """
with person as (
  insert into users (id, name, email, created_at, verified_at)
  select id, 'Person ' || id, id || '@storm.invalid', now(), now() from unnest($1::uuid[]) as id
), device as (
  insert into sessions (id, user_id, generation, created_at, refreshed_at, expires_at)
  select session_id, id, 0, now(), now(), now() + interval '1 day' from unnest($1::uuid[], $2::uuid[]) as s(id, session_id)
)
insert into members (tenant_id, id, user_id, role, status, joined_at)
select t.id, uuidv7(), person_id, 'participant', 'ACTIVE', now()
  from unnest($1::uuid[]) as person_id, tenants t where t.is_default
"""


class Person(msgspec.Struct, frozen=True):
    """Somebody who is signed in, in the default community."""

    id: UUID
    token: str


async def settle(urls: Urls, number: int, security: Security = Security(SECRET)) -> list[Person]:
    """Make so many people, each with a session and a token. security: of who is to know the tokens."""
    ids = [new_id() for _ in range(number)]
    sessions = [new_id() for _ in range(number)]
    owner = await asyncpg.connect(urls.owner, server_settings={"muster.maintenance": "on"})
    try:
        await owner.execute(_SETTLE, ids, sessions)
        await owner.execute("analyze users, sessions, members")
    finally:
        await owner.close()
    keys, now = token_keys(security), datetime.now(UTC)
    return [
        Person(user_id, keys.sign(user_id=user_id, session_id=session_id, now=now)[0])
        for user_id, session_id in zip(ids, sessions, strict=True)
    ]
