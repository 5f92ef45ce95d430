"""identity: changes of mail addresses, which both mailboxes confirm."""

from alembic import op

from muster.kit.db.isolation import global_table
from muster.kit.db.migrate import roles

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table email_changes (
          id uuid not null, user_id uuid not null, old_address text not null, new_address text not null,
          created_at timestamptz not null, expires_at timestamptz not null, approved_at timestamptz,
          confirmed_at timestamptz, ended_at timestamptz,
          constraint email_changes_pkey primary key (id),
          constraint email_changes_user_id_fkey foreign key (user_id) references users (id)
        )
        """
    )
    op.execute("create index email_changes_recent_idx on email_changes (user_id, created_at)")
    op.execute("create index email_changes_expires_at_idx on email_changes (expires_at)")
    columns = "id, user_id, old_address, new_address, created_at, expires_at, approved_at"
    global_table(
        "email_changes",
        reason="belongs to the account, which is global",
        app=f"select ({columns}, confirmed_at, ended_at), insert ({columns}), "
        "update (approved_at, confirmed_at, ended_at)",
        worker=f"select ({columns}, confirmed_at, ended_at), delete",
    )
    op.execute(f"grant update (email) on users to {roles().app}")
