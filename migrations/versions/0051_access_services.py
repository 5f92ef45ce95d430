"""access: service accounts, and keys that are good only as long as their holder is a member."""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table members add column is_service boolean not null default false")
    op.execute("create index members_service_idx on members (tenant_id, joined_at, id) where is_service")
    op.execute(
        """
        create or replace function key_lives(key uuid, person uuid, community uuid, at timestamptz)
        returns boolean language sql stable as $$
          select exists (
            select from api_keys k join members m on m.tenant_id = k.tenant_id and m.user_id = k.user_id
             where k.tenant_id = community and k.id = key and k.user_id = person and m.status = 'ACTIVE'
               and k.revoked_at is null and (k.expires_at is null or k.expires_at > at))
        $$
        """
    )
