"""identity: links that sign in, identities at other providers, and devices that are signed in by code."""

from alembic import op

from muster.kit.db.isolation import global_table, grant

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _links()
    _external_identities()
    _device_requests()


def _links() -> None:
    op.execute("alter table links drop constraint links_purpose_check")
    op.execute(
        "alter table links add constraint links_purpose_check check (purpose in ('VERIFY', 'RESET', 'UNLOCK', 'RESTORE', 'SIGN_IN'))"
    )
    # Whoever comes in by a mailed link puts out who opened the account with their mail, and knows a password of it.
    grant("passwords", app="delete")


def _external_identities() -> None:
    op.execute(
        """
        create table external_identities (
          id uuid not null, user_id uuid not null, provider text not null, issuer text not null, subject text not null,
          email text not null, created_at timestamptz not null, used_at timestamptz not null,
          constraint external_identities_pkey primary key (id),
          constraint external_identities_issuer_subject_key unique (issuer, subject),
          constraint external_identities_user_id_fkey foreign key (user_id) references users (id)
        )
        """
    )
    op.execute("create index external_identities_newest_idx on external_identities (user_id, created_at, id)")
    columns = "id, user_id, provider, issuer, subject, email, created_at, used_at"
    global_table(
        "external_identities",
        reason="belongs to the account, which is global",
        app=f"select ({columns}), insert ({columns}), update (email, used_at), delete",
        worker=f"select ({columns}), delete",
    )


def _device_requests() -> None:
    op.execute(
        """
        create table device_requests (
          id uuid not null, code_seal text not null, name text not null, address text, created_at timestamptz not null,
          expires_at timestamptz not null, polled_at timestamptz, pause bigint not null, user_id uuid, state text not null,
          constraint device_requests_pkey primary key (id),
          constraint device_requests_code_seal_key unique (code_seal),
          constraint device_requests_user_id_fkey foreign key (user_id) references users (id),
          constraint device_requests_state_check check (state in ('WAITING', 'APPROVED', 'DENIED', 'USED'))
        )
        """
    )
    op.execute("create index device_requests_expires_at_idx on device_requests (expires_at)")
    op.execute("create index device_requests_person_idx on device_requests (user_id) where user_id is not null")
    columns = "id, code_seal, name, address, created_at, expires_at, polled_at, pause, user_id, state"
    global_table(
        "device_requests",
        reason="a person signs in once for all their communities",
        app=f"select ({columns}), insert ({columns}), update (polled_at, pause, user_id, state)",
        worker=f"select ({columns}), delete",
    )
