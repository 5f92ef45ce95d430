"""tenancy: exactly one owner, who may hand over; what a community was before it closed; who may be found by anybody."""

from alembic import op

from muster.kit.db.isolation import grant, isolate
from muster.kit.db.migrate import roles

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _one_owner()
    _offers()
    op.execute(
        """
        alter table tenants
          add column status_before text,
          add constraint tenants_status_before_check check (status_before in ('ACTIVE', 'ARCHIVED', 'SUSPENDED', 'DELETING'))
        """
    )
    op.execute(f"grant select (status_before), update (status_before) on tenants to {roles().app}, {roles().worker}")
    grant("tenants", worker="delete")
    grant("members", app="update (role)")
    listed = "where is_listed and status = 'ACTIVE'"
    op.execute(f"create index tenants_listed_name_idx on tenants (name, id) {listed}")
    op.execute(f"create index tenants_listed_kind_idx on tenants (kind, created_at, id) {listed}")
    op.execute(f"create index tenants_listed_country_idx on tenants (country, created_at, id) {listed}")
    op.execute(f"create index tenants_listed_created_idx on tenants (created_at, id) {listed}")
    op.execute("create index tenants_deletes_at_idx on tenants (deletes_at) where deletes_at is not null")


def _one_owner() -> None:
    # Who became owner first stays it.
    op.execute("set local muster.maintenance = 'on'")
    op.execute(
        """
        update members m set role = 'admin' where role = 'owner' and exists (
          select from members o where o.tenant_id = m.tenant_id and o.role = 'owner'
             and (o.joined_at, o.id) < (m.joined_at, m.id))
        """
    )
    op.execute("set local muster.maintenance = 'off'")
    op.execute("create unique index members_owner_idx on members (tenant_id) where role = 'owner'")
    op.execute("create index members_owned_idx on members (user_id) where role = 'owner'")


def _offers() -> None:
    op.execute(
        """
        create table ownership_offers (
          tenant_id uuid not null, id uuid not null, user_id uuid not null,
          made_at timestamptz not null, expires_at timestamptz not null,
          constraint ownership_offers_pkey primary key (tenant_id, id),
          constraint ownership_offers_tenant_id_key unique (tenant_id),
          constraint ownership_offers_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id) on delete cascade
        )
        """
    )
    isolate("ownership_offers", app="select, insert, delete", worker="select, delete")
