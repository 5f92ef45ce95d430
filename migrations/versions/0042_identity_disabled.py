"""identity: accounts that an operator has closed to their people."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table users add column disabled_at timestamptz")
    op.execute(f"grant select (disabled_at), update (disabled_at) on users to {roles().app}")
    op.execute(f"grant select (disabled_at) on users to {roles().worker}")
