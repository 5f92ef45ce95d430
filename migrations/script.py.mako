"""${message}

What is here runs while the previous release still serves:
- add, fill, and only in a later release remove;
- an index on a table that holds rows: CREATE INDEX CONCURRENTLY, alone in its revision, inside
  `with op.get_context().autocommit_block():`;
- a lock is waited for 5 s and a statement runs for 60 s (migrations/env.py); a backfill raises the second with
  op.execute("SET LOCAL statement_timeout = '10min'").
"""

from alembic import op

from muster.kit.db.migrate import roles

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades}
