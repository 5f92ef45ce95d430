"""notifications: what people are told inside the product."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table notifications (
          tenant_id uuid not null, id uuid not null, user_id uuid not null, fact_id uuid not null,
          kind text not null, data jsonb not null, created_at timestamptz not null, read_at timestamptz,
          constraint notifications_pkey primary key (tenant_id, id),
          constraint notifications_tenant_id_user_id_fact_id_key unique (tenant_id, user_id, fact_id),
          constraint notifications_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id)
        )
        """
    )
    op.execute("create index notifications_newest_idx on notifications (tenant_id, user_id, created_at, id)")
    isolate("notifications", app="select, update (read_at)", worker="select, insert")
