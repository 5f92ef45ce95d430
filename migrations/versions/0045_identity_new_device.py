"""identity: the worker tells people of new devices."""

from muster.kit.db.isolation import grant

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("sessions", worker="select (id, user_id, agent, address, created_at)")
