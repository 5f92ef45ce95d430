"""tenancy: communities and their members; the platform's own tenant and the default one."""

from alembic import op

from muster.kit.db.isolation import global_table, isolate

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The platform tenant is the one that facts and audit rows of no community belong to.
PLATFORM = "00000000-0000-7000-8000-000000000000"
DEFAULT = "00000000-0000-7000-8000-000000000001"


def upgrade() -> None:
    op.execute(
        """
        create table tenants (
          id uuid not null, slug text not null, name text not null,
          is_default boolean not null, created_at timestamptz not null,
          constraint tenants_pkey primary key (id),
          constraint tenants_slug_key unique (slug)
        )
        """
    )
    op.execute("create unique index tenants_default_idx on tenants (is_default) where is_default")
    op.execute(
        """
        create table members (
          tenant_id uuid not null, id uuid not null, user_id uuid not null,
          role text not null, status text not null, joined_at timestamptz not null,
          constraint members_pkey primary key (tenant_id, id),
          constraint members_tenant_id_user_id_key unique (tenant_id, user_id),
          constraint members_tenant_id_fkey foreign key (tenant_id) references tenants (id),
          constraint members_user_id_fkey foreign key (user_id) references users (id),
          constraint members_status_check check (status in ('ACTIVE', 'SUSPENDED'))
        )
        """
    )
    op.execute(
        f"""
        insert into tenants (id, slug, name, is_default, created_at)
        values ('{PLATFORM}', 'platform', 'Platform', false, now()), ('{DEFAULT}', 'main', 'Community', true, now())
        """
    )
    global_table(
        "tenants",
        reason="a community is the unit of isolation itself",
        app="select (id, slug, name, is_default, created_at), insert (id, slug, name, is_default, created_at)",
        worker="select (id, slug, name, is_default)",
    )
    isolate("members", app="select, insert", worker="select")
