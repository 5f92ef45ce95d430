"""identity: links in mails, wrong passwords counted, refresh tokens that rotate, devices."""

from alembic import op

from muster.kit.db.isolation import global_table
from muster.kit.db.migrate import roles

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _links()
    _passwords()
    _sessions()


def _links() -> None:
    op.execute(
        """
        create table links (
          id uuid not null, user_id uuid not null, purpose text not null, address text not null,
          created_at timestamptz not null, expires_at timestamptz not null, used_at timestamptz,
          constraint links_pkey primary key (id),
          constraint links_user_id_fkey foreign key (user_id) references users (id),
          constraint links_purpose_check check (purpose in ('VERIFY', 'RESET', 'UNLOCK'))
        )
        """
    )
    op.execute("create index links_recent_idx on links (user_id, purpose, created_at)")
    op.execute("create index links_expires_at_idx on links (expires_at)")
    global_table(
        "links",
        reason="belongs to the account, which is global",
        app="select (id, user_id, purpose, address, created_at, expires_at, used_at), update (used_at)",
        worker="select (id, user_id, purpose, address, created_at, expires_at, used_at), delete, "
        "insert (id, user_id, purpose, address, created_at, expires_at)",
    )


def _passwords() -> None:
    op.execute("alter table passwords add column failures bigint not null default 0, add column failed_at timestamptz")
    op.execute("alter table passwords alter column failures drop default")
    op.execute(
        "grant select (failures, failed_at), insert (failures), update (failures, failed_at) "
        f"on passwords to {roles().app}"
    )


def _sessions() -> None:
    # The refresh tokens that were kept as hashes could never be used: there was no way to refresh.
    op.execute(
        """
        alter table sessions drop column refresh_hash,
          add column generation bigint not null default 0, add column refreshed_at timestamptz,
          add column address text, add column agent text
        """
    )
    op.execute("update sessions set refreshed_at = created_at")
    op.execute("alter table sessions alter column generation drop default, alter column refreshed_at set not null")
    op.execute("drop index sessions_user_id_idx")
    op.execute("create index sessions_newest_idx on sessions (user_id, created_at, id)")
    op.execute("create index sessions_revoked_at_idx on sessions (revoked_at) where revoked_at is not null")
    columns = "generation, refreshed_at, address, agent"
    op.execute(
        f"grant select ({columns}), insert ({columns}), update (generation, refreshed_at) on sessions to {roles().app}"
    )
