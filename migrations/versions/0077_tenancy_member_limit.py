"""tenancy: an operator says how many members a community may have."""

from muster.kit.db.isolation import grant

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("tenants", app="update (max_members)")
