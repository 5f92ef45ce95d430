"""identity: sessions that issuers of tokens name last as long as their newest token."""

from muster.kit.db.isolation import grant

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("sessions", app="update (expires_at)")
