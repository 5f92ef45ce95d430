"""kit: jobs found by tenant, so that each tenant's stand in turn."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A job's key begins with its tenant's id.
    op.execute(
        """
        create index pgqueuer_tenant_idx on pgqueuer.pgqueuer (entrypoint, left(dedupe_key, 36), priority)
        where status = 'queued'
        """
    )
