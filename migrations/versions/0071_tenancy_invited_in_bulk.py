"""tenancy: the language of an invitation's letter, and how many letters a community mailed within the hour."""

from alembic import op

from muster.kit.db.isolation import grant

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table invitations add column language text")
    grant("invitations", app="update (language)")
    op.execute("create index invitations_letters_idx on invitations (tenant_id, letters_since) where email is not null")
