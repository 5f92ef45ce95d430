"""kit: idempotency keys."""

from alembic import op

from muster.kit.db.isolation import cross, isolate

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table idempotency_keys (
          tenant_id uuid not null, id uuid not null,
          user_id uuid, fingerprint text not null, at timestamptz not null, outcome jsonb,
          constraint idempotency_keys_pkey primary key (tenant_id, id)
        )
        """
    )
    op.execute("create index idempotency_keys_at_idx on idempotency_keys (at)")
    isolate("idempotency_keys", app="select, insert, update (outcome)", worker="select, delete")
    cross("idempotency_keys", "worker", command="select", reason="the schedule finds the tenants whose keys are old")
