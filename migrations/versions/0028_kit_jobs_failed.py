"""kit: dead letters found without a walk over all that wait."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index pgqueuer_failed_idx on pgqueuer.pgqueuer (id) where status = 'failed'")
