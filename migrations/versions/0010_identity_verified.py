"""identity: whether somebody's mail is known to be theirs."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table users add column verified_at timestamptz")
    op.execute(f"grant select (verified_at), insert (verified_at), update (verified_at) on users to {roles().app}")
    op.execute(f"grant select (verified_at) on users to {roles().worker}")
