"""events: cancelling and deleting, places and tags to find them by, where they were imported from, a version."""

from alembic import op

from muster.kit.db.isolation import isolate
from muster.kit.db.migrate import roles

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _columns()
    _indexes()
    _tags()


def _columns() -> None:
    op.execute(
        """
        alter table events
          drop constraint events_status_check,
          add constraint events_status_check check (status in ('DRAFT', 'PUBLISHED', 'CANCELLED', 'DELETED')),
          add column cancelled_at timestamptz, add column cancel_reason text,
          add column url text, add column city text, add column country text,
          add column city_key text generated always as (lower(city)) stored,
          add column country_key text generated always as (lower(country)) stored,
          add column is_online boolean not null generated always as (meeting_kind <> 'ONSITE') stored,
          add column source text, add column source_id text,
          add column version bigint not null default 1, add column updated_at timestamptz not null default now(),
          add constraint events_cancelled_check check (status <> 'CANCELLED' or cancelled_at is not null),
          add constraint events_source_check check (num_nonnulls(source, source_id) in (0, 2)),
          add constraint events_tenant_id_source_source_id_key unique (tenant_id, source, source_id),
          alter column search set expression as (to_tsvector('simple',
            title || ' ' || description || ' ' || coalesce(city, '') || ' ' || coalesce(country, '')))
        """
    )
    # What was there has a first version and a moment; new rows must say their own.
    op.execute("alter table events alter column version drop default, alter column updated_at drop default")
    edited = (
        "title, description, starts_at, ends_at, timezone, meeting_kind, online_url, address, latitude, longitude, "
        "join_mode, mode, min, max, visibility, url, city, country, cancelled_at, cancel_reason, version, updated_at"
    )
    op.execute(f"grant update ({edited}) on events to {roles().app}")


def _indexes() -> None:
    for name in ("status", "city_key", "country_key", "is_online"):
        op.execute(f"create index events_{name}_idx on events (tenant_id, {name}, starts_at, id)")
    op.execute("create index event_members_person_idx on event_members (tenant_id, user_id, status, event_id)")


def _tags() -> None:
    op.execute(
        """
        create table event_tags (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, tag text not null,
          constraint event_tags_pkey primary key (tenant_id, id),
          constraint event_tags_tenant_id_event_id_tag_key unique (tenant_id, event_id, tag),
          constraint event_tags_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id)
        )
        """
    )
    op.execute("create index event_tags_tag_idx on event_tags (tenant_id, tag, event_id)")
    isolate("event_tags", app="select, insert, delete", worker="select")
