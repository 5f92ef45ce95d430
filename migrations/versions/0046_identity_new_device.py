"""identity: the worker tells people of new devices."""

from muster.kit.db.isolation import grant

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("sessions", worker="select (id, user_id, agent, address, created_at)")
