"""identity: authenticator apps, backup codes, passkeys; tenancy: communities that ask for a second factor."""

from alembic import op

from muster.kit.db.isolation import global_table
from muster.kit.db.migrate import roles

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_OF_ACCOUNT = "belongs to the account, which is global"


def upgrade() -> None:
    _second_factors()
    _backup_codes()
    _passkeys()
    _challenges()
    op.execute("alter table tenants add column requires_mfa boolean not null default false")
    op.execute("create index tenants_strict_idx on tenants (id) where requires_mfa")
    op.execute(f"grant select (requires_mfa), update (requires_mfa) on tenants to {roles().app}")
    op.execute(f"grant select (requires_mfa) on tenants to {roles().worker}")


def _second_factors() -> None:
    op.execute(
        """
        create table second_factors (
          id uuid not null, totp text, totp_since timestamptz, totp_step bigint not null,
          failures bigint not null, failed_at timestamptz,
          constraint second_factors_pkey primary key (id),
          constraint second_factors_id_fkey foreign key (id) references users (id)
        )
        """
    )
    columns = "totp, totp_since, totp_step, failures, failed_at"
    global_table(
        "second_factors",
        reason=_OF_ACCOUNT,
        app=f"select (id, {columns}), insert (id, {columns}), update ({columns})",
        worker="select (id, totp_since), delete",
    )


def _backup_codes() -> None:
    op.execute(
        """
        create table backup_codes (
          id uuid not null, user_id uuid not null, hash text not null, used_at timestamptz,
          constraint backup_codes_pkey primary key (id),
          constraint backup_codes_user_id_fkey foreign key (user_id) references users (id),
          constraint backup_codes_user_id_hash_key unique (user_id, hash)
        )
        """
    )
    global_table(
        "backup_codes",
        reason=_OF_ACCOUNT,
        app="select (id, user_id, hash, used_at), insert (id, user_id, hash), update (used_at), delete",
        worker="select (id, user_id, used_at), delete",
    )


def _passkeys() -> None:
    op.execute(
        """
        create table passkeys (
          id uuid not null, user_id uuid not null, credential text not null, public_key text not null,
          sign_count bigint not null, name text not null, created_at timestamptz not null, used_at timestamptz,
          constraint passkeys_pkey primary key (id),
          constraint passkeys_user_id_fkey foreign key (user_id) references users (id),
          constraint passkeys_credential_key unique (credential)
        )
        """
    )
    op.execute("create index passkeys_newest_idx on passkeys (user_id, created_at, id)")
    columns = "id, user_id, credential, public_key, sign_count, name, created_at"
    global_table(
        "passkeys",
        reason=_OF_ACCOUNT,
        app=f"select ({columns}, used_at), insert ({columns}), update (name, sign_count, used_at), delete",
        worker="select (id, user_id, name, created_at), delete",
    )


def _challenges() -> None:
    op.execute(
        """
        create table challenges (
          id uuid not null, user_id uuid, session_id uuid, purpose text not null, remember boolean not null,
          expires_at timestamptz not null, used_at timestamptz,
          constraint challenges_pkey primary key (id),
          constraint challenges_user_id_fkey foreign key (user_id) references users (id),
          constraint challenges_purpose_check check (purpose in ('ENROL', 'SIGN_IN', 'SECOND', 'STEP_UP'))
        )
        """
    )
    op.execute("create index challenges_user_id_idx on challenges (user_id)")
    op.execute("create index challenges_expires_at_idx on challenges (expires_at)")
    columns = "id, user_id, session_id, purpose, remember, expires_at"
    global_table(
        "challenges",
        reason="belongs to the account, which is global, or to nobody yet",
        app=f"select ({columns}, used_at), insert ({columns}), update (used_at)",
        worker="select (id, user_id, expires_at), delete",
    )
