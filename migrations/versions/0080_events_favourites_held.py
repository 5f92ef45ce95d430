"""events: who keeps an event may hold that row, for `If-Match`. PostgreSQL locks rows only for who may update a column."""

from muster.kit.db.isolation import grant

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant("event_favourites", app="update (created_at)")
