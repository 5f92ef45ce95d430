"""events: those that are boosted are found by until when."""

from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index events_boosted_until_idx on events (tenant_id, boosted_until, id) where boosted_until is not null"
    )
