"""events: what an imported event was last made from, so that only rows that changed change it."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table events add column source_digest text, "
        "add constraint events_source_digest_check check (source_digest is null or source is not null)"
    )
    op.execute(f"grant update (source_digest) on events to {roles().app}")
