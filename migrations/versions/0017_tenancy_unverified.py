"""tenancy: whether members may act before they have verified their mail."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table tenants add column allows_unverified boolean not null default false")
    op.execute("alter table tenants alter column allows_unverified drop default")
    op.execute(f"grant select (allows_unverified), insert (allows_unverified) on tenants to {roles().app}")
    op.execute(f"grant select (allows_unverified) on tenants to {roles().worker}")
