"""events: a series takes place at moments beside its rule, too."""

from alembic import op

from muster.kit.db.isolation import grant

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table event_series add column added timestamptz[] not null default '{}'")
    op.execute("alter table event_series alter column added drop default")
    grant("event_series", app="update (added)")
