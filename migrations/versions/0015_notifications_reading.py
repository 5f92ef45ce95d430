"""notifications: they are read and deleted, and what is unread is counted from an index of its own."""

from alembic import op

from muster.kit.db.isolation import grant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table notifications add column deleted_at timestamptz")
    op.execute("drop index notifications_newest_idx")
    shown, keys = "deleted_at is null", "(tenant_id, user_id, created_at, id)"
    op.execute(f"create index notifications_newest_idx on notifications {keys} where {shown}")
    op.execute(f"create index notifications_unread_idx on notifications {keys} where {shown} and read_at is null")
    grant("notifications", app="update (deleted_at)")
