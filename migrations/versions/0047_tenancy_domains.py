"""tenancy: domains of a community's own, and which community each proven one leads to."""

from alembic import op

from muster.kit.db.isolation import global_table, isolate

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table domains (
          tenant_id uuid not null, id uuid not null, name text not null, token text not null,
          added_at timestamptz not null, proven_at timestamptz, checked_at timestamptz, failing_since timestamptz,
          constraint domains_pkey primary key (tenant_id, id),
          constraint domains_tenant_id_name_key unique (tenant_id, name),
          constraint domains_tenant_id_fkey foreign key (tenant_id) references tenants (id)
        )
        """
    )
    op.execute("create index domains_added_idx on domains (tenant_id, added_at, id)")
    isolate("domains", app="select, insert, update (proven_at, checked_at, failing_since), delete")
    op.execute(
        """
        create table hosts (
          id uuid not null, tenant_id uuid not null, name text not null, token text not null,
          constraint hosts_pkey primary key (id),
          constraint hosts_name_key unique (name),
          constraint hosts_tenant_id_fkey foreign key (tenant_id) references tenants (id)
        )
        """
    )
    op.execute("create index hosts_tenant_id_idx on hosts (tenant_id)")
    global_table(
        "hosts",
        reason="which community a host leads to is asked before any is entered",
        app="select (id, tenant_id, name, token), insert (id, tenant_id, name, token), delete",
    )
