"""identity: which language somebody reads, where their clock is, and when they accepted the terms."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_COLUMNS = "locale, timezone, terms_accepted_at"


def upgrade() -> None:
    op.execute("alter table users add column locale text, add column timezone text")
    op.execute("alter table users add column terms_accepted_at timestamptz")
    op.execute(f"grant select ({_COLUMNS}), insert ({_COLUMNS}), update ({_COLUMNS}) on users to {roles().app}")
    op.execute(f"grant select ({_COLUMNS}) on users to {roles().worker}")
    op.execute("alter table mails add column language text")
