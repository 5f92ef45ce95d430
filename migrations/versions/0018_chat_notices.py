"""chat: when a room's people are next told of what they have not read, and up to where they were told."""

from alembic import op

from muster.kit.db.isolation import cross, grant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table rooms add column notice_due_at timestamptz")
    # Across tenants, since that is how the schedule looks for them.
    op.execute("create index rooms_due_idx on rooms (notice_due_at) where notice_due_at is not null")
    cross(
        "rooms", "worker", command="select", reason="the schedule finds the tenants whose rooms have something unread"
    )
    op.execute("alter table room_seats add column told_sequence bigint not null default 0")
    op.execute("alter table room_seats alter column told_sequence drop default")
    op.execute("alter table notifications add column settled_by_id uuid")
    grant("rooms", app="update (notice_due_at)", worker="update (notice_due_at)")
    grant("room_seats", worker="update (told_sequence)")
