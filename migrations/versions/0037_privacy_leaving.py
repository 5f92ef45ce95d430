"""privacy: accounts are closed, opened again, ended and erased; communities say what they keep of it."""

from alembic import op

from muster.kit.db.isolation import global_table, grant
from muster.kit.db.migrate import roles

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _accounts()
    _departures()
    _communities()
    _withdrawing()


def _accounts() -> None:
    op.execute("alter table users add column closed_at timestamptz, add column ended_at timestamptz")
    op.execute("create index users_closed_idx on users (closed_at) where closed_at is not null")
    grant(
        "users",
        app="select (closed_at, ended_at), update (closed_at)",
        worker="select (closed_at, ended_at), update (verified_at, locale, timezone, ended_at)",
    )
    op.execute("alter table links drop constraint links_purpose_check")
    op.execute(
        "alter table links add constraint links_purpose_check "
        "check (purpose in ('VERIFY', 'RESET', 'UNLOCK', 'RESTORE'))"
    )


def _departures() -> None:
    op.execute(
        """
        create table departures (
          id uuid not null, closed_at timestamptz not null, reminded_at timestamptz, ended_at timestamptz,
          erasing_at timestamptz, erased_at timestamptz,
          constraint departures_pkey primary key (id),
          constraint departures_id_fkey foreign key (id) references users (id)
        )
        """
    )
    op.execute("create index departures_due_idx on departures (closed_at) where erased_at is null")
    columns = "id, closed_at, reminded_at, ended_at, erasing_at, erased_at"
    global_table(
        "departures",
        reason="belongs to the account, which is global",
        app=f"select ({columns}), insert ({columns}), update ({columns.removeprefix('id, ')})",
        worker=f"select ({columns}), update ({columns.removeprefix('id, closed_at, ')})",
    )


def _communities() -> None:
    op.execute("alter table tenants add column keeps_content boolean not null default false")
    grant("tenants", app="select (keeps_content), update (keeps_content)", worker="select (keeps_content)")
    op.execute(
        """
        create function finders.owned_by(person uuid) returns setof uuid
        language sql stable security definer set search_path = pg_catalog, public as $$
          select m.tenant_id from public.members m
           where m.user_id = person and m.role = 'owner' and m.status = 'ACTIVE'
        $$
        """
    )
    op.execute(f"grant execute on function finders.owned_by(uuid) to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.owned_by(uuid) owner to {roles().finder}")


def _withdrawing() -> None:
    """What the verbs of events and of chat write when the worker takes a person out."""
    grant("events", worker="update (joined_count, cancelled_at, updated_at, version)")
    grant("event_members", worker="update (status, role, joined_at, queue_number)")
    grant("room_seats", worker="insert")
    grant("members", worker="update (status)")
