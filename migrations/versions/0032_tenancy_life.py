"""tenancy: what a community is like and looks like, how one joins it, whether it is listed, and whether it is open."""

from alembic import op

from muster.kit.db.isolation import announce_rights
from muster.kit.db.migrate import roles

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_CHANGEABLE = (
    "name, allows_unverified, kind, locale, timezone, country, is_listed, join_policy, status, status_reason, "
    "status_since, deletes_at, logo_url, primary_colour, accent_colour, terms, version"
)
_NEW = _CHANGEABLE.removeprefix("name, allows_unverified, ")


def upgrade() -> None:
    # Defaults stay: the previous release makes communities, too, and says nothing of these.
    op.execute(
        """
        alter table tenants
          add column kind text not null default 'COMMUNITY',
          add column locale text not null default 'en',
          add column timezone text not null default 'UTC',
          add column country text,
          add column is_listed boolean not null default false,
          add column join_policy text not null default 'INVITE',
          add column status text not null default 'ACTIVE',
          add column status_reason text,
          add column status_since timestamptz,
          add column deletes_at timestamptz,
          add column logo_url text,
          add column primary_colour text,
          add column accent_colour text,
          add column terms jsonb not null default '{}',
          add column version bigint not null default 1,
          add constraint tenants_kind_check
            check (kind in ('COMMUNITY', 'CLUB', 'SCHOOL', 'COMPANY', 'CONGREGATION')),
          add constraint tenants_join_policy_check check (join_policy in ('OPEN', 'REQUEST', 'INVITE')),
          add constraint tenants_status_check check (status in ('ACTIVE', 'ARCHIVED', 'SUSPENDED', 'DELETING')),
          add constraint tenants_default_check check (not is_default or status = 'ACTIVE'),
          add constraint tenants_deletes_check check ((status = 'DELETING') = (deletes_at is not null)),
          add constraint tenants_primary_colour_check check (primary_colour ~ '^#[0-9a-f]{6}$'),
          add constraint tenants_accent_colour_check check (accent_colour ~ '^#[0-9a-f]{6}$')
        """
    )
    # Everybody who registers joins it.
    op.execute("update tenants set join_policy = 'OPEN' where is_default")
    op.execute(f"grant select ({_NEW}), update ({_CHANGEABLE}) on tenants to {roles().app}, {roles().worker}")
    op.execute(f"grant insert (kind, locale, timezone, country, is_listed, join_policy) on tenants to {roles().app}")
    announce_rights("tenants", tenant="id", user=None, columns=("status",))
