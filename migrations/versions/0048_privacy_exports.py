"""privacy: people have archives made of what is theirs."""

from alembic import op

from muster.kit.db.isolation import global_table, grant

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table exports (
          id uuid not null, user_id uuid not null, status text not null, progress bigint not null, path text not null,
          asked_at timestamptz not null, ready_at timestamptz, expires_at timestamptz,
          constraint exports_pkey primary key (id),
          constraint exports_user_id_fkey foreign key (user_id) references users (id),
          constraint exports_user_id_key unique (user_id),
          constraint exports_status_check check (status in ('MAKING', 'READY', 'GONE'))
        )
        """
    )
    op.execute("create index exports_expiring_idx on exports (expires_at) where status = 'READY'")
    columns = "id, user_id, status, progress, path, asked_at, ready_at, expires_at"
    global_table(
        "exports",
        reason="it holds what a person has in all their communities",
        app=f"select ({columns}), insert ({columns}), update ({columns})",
        worker=f"select ({columns}), update (status, progress, ready_at, expires_at), delete",
    )
    _readable()


def _readable() -> None:
    """What the worker writes into exports, and had no need to read before."""
    grant("passwords", worker="select (id, changed_at, failures, failed_at)")
    grant("second_factors", worker="select (failures, failed_at)")
    grant("passkeys", worker="select (used_at)")
    grant("challenges", worker="select (session_id, purpose, remember, used_at)")
    grant("sessions", worker="select (created_at, refreshed_at, address, agent, generation, proved_at)")
