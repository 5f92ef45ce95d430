"""events: share links."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_shares (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, key_hash text not null,
          created_at timestamptz not null,
          constraint event_shares_pkey primary key (tenant_id, id),
          constraint event_shares_tenant_id_event_id_key unique (tenant_id, event_id),
          constraint event_shares_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id)
        )
        """
    )
    isolate("event_shares", app="select, insert, delete", worker="select, delete")
