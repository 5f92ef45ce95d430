"""events: the moment when a window that shut off free places opens by the clock, for who waits."""

from alembic import op

from muster.kit.db.isolation import grant
from muster.kit.db.migrate import roles

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table events add column promotion_due_at timestamptz")
    # Across tenants, since that is how the schedule looks for them.
    op.execute(
        "create index events_promotion_due_idx on events (promotion_due_at, tenant_id) where promotion_due_at is not null"
    )
    op.execute(
        """
        create function finders.tenants_with_due_promotions(moment timestamptz) returns table (tenant_id uuid)
        language sql stable security definer set search_path = pg_catalog, public as $$
          select distinct e.tenant_id from public.events e where e.promotion_due_at <= moment
        $$
        """
    )
    op.execute(f"grant execute on function finders.tenants_with_due_promotions(timestamptz) to {roles().worker}")
    op.execute(f"alter function finders.tenants_with_due_promotions(timestamptz) owner to {roles().finder}")
    grant("events", app="update (promotion_due_at)", worker="update (promotion_due_at)")
