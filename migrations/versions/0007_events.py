"""events: events, their members, and the finder behind full-text search."""

from alembic import op

from muster.kit.db.isolation import cross, isolate
from muster.kit.db.migrate import roles

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _events()
    _members()
    _finder()


def _events() -> None:
    op.execute(
        """
        create table events (
          tenant_id uuid not null, id uuid not null, owner_id uuid not null,
          title text not null, description text not null,
          starts_at timestamptz not null, ends_at timestamptz not null, timezone text not null,
          meeting_kind text not null, online_url text, address text,
          latitude double precision, longitude double precision,
          join_mode text not null, mode text not null, min bigint not null, max bigint, visibility text not null,
          status text not null, published_at timestamptz,
          joined_count bigint not null, last_queue_number bigint not null, created_at timestamptz not null,
          search tsvector not null
            generated always as (to_tsvector('simple', title || ' ' || description)) stored,
          constraint events_pkey primary key (tenant_id, id),
          constraint events_tenant_id_owner_id_fkey foreign key (tenant_id, owner_id)
            references members (tenant_id, user_id),
          constraint events_status_check check (status in ('DRAFT', 'PUBLISHED')),
          constraint events_visibility_check check (visibility in ('PUBLIC', 'HIDDEN')),
          constraint events_meeting_kind_check check (meeting_kind in ('ONSITE', 'ONLINE', 'HYBRID')),
          constraint events_join_mode_check check (join_mode in ('OPEN', 'INVITE_ONLY')),
          constraint events_mode_check check (mode in ('ONE_TO_ONE', 'GROUP', 'CUSTOM')),
          constraint events_ends_after_start_check check (ends_at > starts_at),
          constraint events_capacity_check check (max is null or joined_count <= max),
          constraint events_min_max_check check (min >= 1 and (max is null or max >= min)),
          constraint events_point_check check (
            num_nonnulls(latitude, longitude) in (0, 2)
            and coalesce(latitude between -90 and 90 and longitude between -180 and 180, true))
        )
        """
    )
    op.execute("create index events_start_idx on events (tenant_id, starts_at, id)")
    op.execute("create index events_newest_idx on events (tenant_id, created_at, id)")
    op.execute("create index events_meeting_kind_idx on events (tenant_id, meeting_kind, starts_at, id)")
    op.execute("create index events_join_mode_idx on events (tenant_id, join_mode, starts_at, id)")
    op.execute("create index events_owner_idx on events (tenant_id, owner_id, starts_at, id)")
    op.execute("create index events_search_idx on events using gin (search)")
    isolate(
        "events",
        app="select, insert, update (status, published_at, joined_count, last_queue_number)",
        worker="select",
    )


def _members() -> None:
    op.execute(
        """
        create table event_members (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, user_id uuid not null,
          role text not null, status text not null, asked_at timestamptz not null, joined_at timestamptz,
          queue_number bigint, note text,
          constraint event_members_pkey primary key (tenant_id, id),
          constraint event_members_tenant_id_event_id_user_id_key unique (tenant_id, event_id, user_id),
          constraint event_members_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id),
          constraint event_members_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id),
          constraint event_members_role_check check (role in ('OWNER', 'MODERATOR', 'PARTICIPANT')),
          constraint event_members_status_check check (status in ('JOINED', 'WAITLIST', 'LEFT', 'KICKED')),
          constraint event_members_queue_check check ((status = 'WAITLIST') = (queue_number is not null))
        )
        """
    )
    op.execute(
        "create unique index event_members_queue_idx on event_members (tenant_id, event_id, queue_number) "
        "where queue_number is not null"
    )
    op.execute("create index event_members_asked_idx on event_members (tenant_id, event_id, asked_at, id)")
    op.execute("create index event_members_status_idx on event_members (tenant_id, event_id, status, asked_at, id)")
    isolate(
        "event_members",
        app="select, insert, update (role, status, asked_at, joined_at, queue_number, note)",
        worker="select",
    )


def _finder() -> None:
    cross("events", "finder", command="select", reason="full-text operators may not use an index under row security")
    op.execute(
        """
        create function finders.events_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable security definer set search_path = pg_catalog, public as $$
          select e.id, ts_rank(e.search, q.query)::double precision
            from websearch_to_tsquery('simple', words) as q(query), public.events e
           where e.search @@ q.query
             and e.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)
        $$
        """
    )
    op.execute(f"grant execute on function finders.events_by_text(text) to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.events_by_text(text) owner to {roles().finder}")
