"""kit: facts name the step of a trace that recorded them."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a default: no row is rewritten, and those that are there were not traced.
    op.execute("alter table facts add column trace text")
