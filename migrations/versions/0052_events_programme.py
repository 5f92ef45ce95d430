"""events: agenda, hosts, questions often asked, and resources."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_LIST = "tenant_id uuid not null, id uuid not null, event_id uuid not null, position bigint not null"


def upgrade() -> None:
    op.execute(
        f"""
        create table event_agenda_items (
          {_LIST}, title text not null, description text not null, starts_at timestamptz, ends_at timestamptz,
          {_keys("event_agenda_items")},
          constraint event_agenda_items_times_check
            check (num_nonnulls(starts_at, ends_at) in (0, 2) and coalesce(ends_at > starts_at, true))
        )
        """
    )
    op.execute(
        """
        create table event_agenda_hosts (
          tenant_id uuid not null, id uuid not null, item_id uuid not null, position bigint not null,
          user_id uuid, name text,
          constraint event_agenda_hosts_pkey primary key (tenant_id, id),
          constraint event_agenda_hosts_tenant_id_item_id_position_key unique (tenant_id, item_id, position),
          constraint event_agenda_hosts_tenant_id_item_id_fkey foreign key (tenant_id, item_id)
            references event_agenda_items (tenant_id, id) on delete cascade,
          constraint event_agenda_hosts_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id),
          constraint event_agenda_hosts_somebody_check check (num_nonnulls(user_id, name) = 1)
        )
        """
    )
    op.execute(
        "create index event_agenda_hosts_person_idx on event_agenda_hosts (tenant_id, user_id) where user_id is not null"
    )
    op.execute(
        f"""
        create table event_faqs (
          {_LIST}, question text not null, answer text not null,
          {_keys("event_faqs")}
        )
        """
    )
    op.execute(
        f"""
        create table event_resources (
          {_LIST}, title text not null, url text not null, audience text not null,
          {_keys("event_resources")},
          constraint event_resources_audience_check check (audience in ('PUBLIC', 'JOINED'))
        )
        """
    )
    for table in ("event_agenda_items", "event_agenda_hosts", "event_faqs", "event_resources"):
        isolate(table, app="select, insert, delete")


def _keys(table: str) -> str:
    return (
        f"constraint {table}_pkey primary key (tenant_id, id), "
        f"constraint {table}_tenant_id_event_id_position_key unique (tenant_id, event_id, position), "
        f"constraint {table}_tenant_id_event_id_fkey foreign key (tenant_id, event_id) references events (tenant_id, id)"
    )
