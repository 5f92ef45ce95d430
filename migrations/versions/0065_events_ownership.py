"""events: offers to own them, and handing them over."""

from alembic import op

from muster.kit.db.isolation import grant, isolate

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_ownership_offers (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, user_id uuid not null,
          made_at timestamptz not null, expires_at timestamptz not null,
          constraint event_ownership_offers_pkey primary key (tenant_id, id),
          constraint event_ownership_offers_tenant_id_event_id_key unique (tenant_id, event_id),
          constraint event_ownership_offers_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id),
          constraint event_ownership_offers_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id) on delete cascade
        )
        """
    )
    isolate("event_ownership_offers", app="select, insert, delete", worker="select, delete")
    grant("events", app="update (owner_id)")
