"""events: series."""

from alembic import op

from muster.kit.db.isolation import grant, isolate

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_series (
          tenant_id uuid not null, id uuid not null, owner_id uuid not null, rule text not null,
          starts_at timestamptz not null, timezone text not null, excluded timestamptz[] not null,
          ends_before timestamptz, visibility text not null, template jsonb not null, created_at timestamptz not null,
          looked_at timestamptz not null,
          constraint event_series_pkey primary key (tenant_id, id),
          constraint event_series_tenant_id_owner_id_fkey
            foreign key (tenant_id, owner_id) references members (tenant_id, user_id),
          constraint event_series_visibility_check check (visibility in ('PUBLIC', 'HIDDEN')),
          constraint event_series_ends_before_check check (ends_before is null or ends_before >= starts_at)
        )
        """
    )
    op.execute("create index event_series_owner_idx on event_series (tenant_id, owner_id)")
    op.execute("create index event_series_looked_idx on event_series (tenant_id, looked_at)")
    op.execute(
        """
        create table series_occurrences (
          tenant_id uuid not null, id uuid not null, series_id uuid not null, event_id uuid not null,
          recurrence_id timestamptz not null,
          constraint series_occurrences_pkey primary key (tenant_id, id),
          constraint series_occurrences_tenant_id_series_id_recurrence_id_key
            unique (tenant_id, series_id, recurrence_id),
          constraint series_occurrences_tenant_id_event_id_key unique (tenant_id, event_id),
          constraint series_occurrences_tenant_id_series_id_fkey
            foreign key (tenant_id, series_id) references event_series (tenant_id, id),
          constraint series_occurrences_tenant_id_event_id_fkey
            foreign key (tenant_id, event_id) references events (tenant_id, id)
        )
        """
    )
    op.execute(
        """
        create table series_members (
          tenant_id uuid not null, id uuid not null, series_id uuid not null, user_id uuid not null,
          joined_at timestamptz not null,
          constraint series_members_pkey primary key (tenant_id, id),
          constraint series_members_tenant_id_series_id_user_id_key unique (tenant_id, series_id, user_id),
          constraint series_members_tenant_id_series_id_fkey
            foreign key (tenant_id, series_id) references event_series (tenant_id, id),
          constraint series_members_tenant_id_user_id_fkey
            foreign key (tenant_id, user_id) references members (tenant_id, user_id)
        )
        """
    )
    op.execute("create index series_members_joined_idx on series_members (tenant_id, series_id, joined_at, id)")
    _rights()


def _rights() -> None:
    changed = "update (ends_before, template, looked_at)"
    isolate("event_series", app=f"select, insert, {changed}", worker=f"select, insert, {changed}, delete")
    isolate("series_occurrences", app="select, insert", worker="select, insert, delete")
    # The schedule makes events, as their owners do.
    for table in ("events", "event_tags", "event_categories", "event_members", "rooms"):
        grant(table, worker="insert")
    grant("events", worker="update (published_at, last_queue_number)")
    grant("event_members", worker="update (asked_at, asked_number)")
    isolate("series_members", app="select, insert, delete", worker="select, delete")
