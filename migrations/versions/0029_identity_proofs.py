"""identity: when a session was last proved to be its person's."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table sessions add column proved_at timestamptz")
    op.execute(f"grant select (proved_at), insert (proved_at), update (proved_at) on sessions to {roles().app}")
