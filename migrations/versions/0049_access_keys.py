"""access: API keys."""

from alembic import op

from muster.kit.db.isolation import announce_rights, isolate, note_changes
from muster.kit.db.migrate import roles

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table api_keys (
          tenant_id uuid not null, id uuid not null, user_id uuid not null,
          name text not null, hash bytea not null, hint text not null, scopes text[] not null, networks text[] not null,
          created_at timestamptz not null, expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz,
          constraint api_keys_pkey primary key (tenant_id, id),
          constraint api_keys_tenant_id_user_id_fkey foreign key (tenant_id, user_id) references members (tenant_id, user_id)
        )
        """
    )
    op.execute("create index api_keys_holder_idx on api_keys (tenant_id, user_id, created_at, id)")
    op.execute("create index api_keys_newest_idx on api_keys (tenant_id, created_at, id)")
    isolate("api_keys", app="select, insert, update (name, revoked_at, last_used_at)", worker="select, delete")
    announce_rights("api_keys", tenant="tenant_id", user="user_id", columns=("revoked_at",))
    # Asked by the check of every caller, for an id that no session has.
    op.execute(
        """
        create function key_lives(key uuid, person uuid, community uuid, at timestamptz)
        returns boolean language sql stable as $$
          select exists (
            select from api_keys k
             where k.tenant_id = community and k.id = key and k.user_id = person
               and k.revoked_at is null and (k.expires_at is null or k.expires_at > at))
        $$
        """
    )
    op.execute(f"grant execute on function key_lives(uuid, uuid, uuid, timestamptz) to {roles().app}, {roles().worker}")
    note_changes("api_keys", columns=("revoked_at",), masked=("name",))
