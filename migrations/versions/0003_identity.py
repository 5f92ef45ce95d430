"""identity: accounts, passwords, sessions."""

from alembic import op

from muster.kit.db.isolation import global_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table users (
          id uuid not null, name text not null, email text not null, created_at timestamptz not null,
          constraint users_pkey primary key (id),
          constraint users_email_key unique (email)
        )
        """
    )
    op.execute(
        """
        create table passwords (
          id uuid not null, hash text not null, changed_at timestamptz not null,
          constraint passwords_pkey primary key (id),
          constraint passwords_id_fkey foreign key (id) references users (id)
        )
        """
    )
    op.execute(
        """
        create table sessions (
          id uuid not null, user_id uuid not null, refresh_hash text not null,
          created_at timestamptz not null, expires_at timestamptz not null, revoked_at timestamptz,
          constraint sessions_pkey primary key (id),
          constraint sessions_user_id_fkey foreign key (user_id) references users (id)
        )
        """
    )
    op.execute("create index sessions_user_id_idx on sessions (user_id)")
    op.execute("create index sessions_expires_at_idx on sessions (expires_at)")
    global_table(
        "users",
        reason="one account per person, many communities",
        app="select (id, name, email, created_at), insert (id, name, email, created_at)",
        worker="select (id, name, email, created_at)",
    )
    global_table(
        "passwords",
        reason="belongs to the account, which is global",
        app="select (id, hash, changed_at), insert (id, hash, changed_at), update (hash, changed_at)",
        worker="",
    )
    global_table(
        "sessions",
        reason="a person signs in once for all their communities",
        app="select (id, user_id, created_at, expires_at, revoked_at), update (revoked_at), "
        "insert (id, user_id, refresh_hash, created_at, expires_at)",
        worker="select (id, user_id, expires_at, revoked_at), delete",
    )
