"""events: what organisers announce."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_announcements (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, author_id uuid not null,
          audience text[] not null, content text not null, created_at timestamptz not null,
          constraint event_announcements_pkey primary key (tenant_id, id),
          constraint event_announcements_tenant_id_event_id_fkey
            foreign key (tenant_id, event_id) references events (tenant_id, id),
          constraint event_announcements_tenant_id_author_id_fkey
            foreign key (tenant_id, author_id) references members (tenant_id, user_id),
          constraint event_announcements_audience_check
            check (audience <@ array['JOINED', 'PENDING', 'INVITED'] and cardinality(audience) > 0)
        )
        """
    )
    op.execute(
        "create index event_announcements_newest_idx on event_announcements (tenant_id, event_id, created_at, id)"
    )
    op.execute("create index event_announcements_author_idx on event_announcements (tenant_id, author_id)")
    isolate("event_announcements", app="select, insert", worker="select, update (content), delete")
