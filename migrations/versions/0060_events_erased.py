"""events: the worker erases what they say since they say more."""

from muster.kit.db.isolation import grant

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    grant(
        "events",
        worker="update (join_close_reason, notes, place, place_id, cover_url, gallery, description_html)",
    )
