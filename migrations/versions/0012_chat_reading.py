"""chat: how far each person has read in a room, and whether they want to hear of it."""

from alembic import op

from muster.kit.db.isolation import grant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Who sits in a room already begins at its beginning; only new seats begin at its present end.
    op.execute(
        "alter table room_seats add column read_sequence bigint not null default 0, add column muted_at timestamptz"
    )
    op.execute("alter table room_seats alter column read_sequence drop default")
    op.execute("create index room_seats_person_idx on room_seats (tenant_id, user_id, id)")
    op.execute("create index messages_author_idx on messages (tenant_id, room_id, author_id, sequence)")
    op.execute(
        "create index messages_deleted_idx on messages (tenant_id, room_id, sequence, author_id) "
        "where deleted_at is not null"
    )
    grant("room_seats", app="update (read_sequence, muted_at)")
