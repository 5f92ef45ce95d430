"""events: calendar feeds."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table calendar_feeds (
          tenant_id uuid not null, id uuid not null, user_id uuid not null, scope text not null, event_id uuid,
          created_at timestamptz not null,
          constraint calendar_feeds_pkey primary key (tenant_id, id),
          constraint calendar_feeds_one_key unique nulls not distinct (tenant_id, user_id, scope, event_id),
          constraint calendar_feeds_tenant_id_user_id_fkey
            foreign key (tenant_id, user_id) references members (tenant_id, user_id),
          constraint calendar_feeds_tenant_id_event_id_fkey
            foreign key (tenant_id, event_id) references events (tenant_id, id),
          constraint calendar_feeds_scope_check check (scope in ('MINE', 'COMMUNITY', 'EVENT')),
          constraint calendar_feeds_event_check check ((scope = 'EVENT') = (event_id is not null))
        )
        """
    )
    op.execute("create index calendar_feeds_newest_idx on calendar_feeds (tenant_id, user_id, created_at, id)")
    isolate("calendar_feeds", app="select, insert, update (scope), delete", worker="select, delete")
