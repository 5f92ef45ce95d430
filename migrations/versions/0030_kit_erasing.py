"""kit: the worker may erase: people as the tables declare it, and all that a community owned."""

from alembic import op

from muster.kit.db.isolation import grant

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_OF_EVENTS = "title, description, online_url, address, latitude, longitude, status, cancel_reason, url, city, country"


def upgrade() -> None:
    _of_people()
    _of_communities()


def _of_people() -> None:
    grant("passwords", worker="select (id), delete")
    grant("users", worker="update (name, email)")
    grant("events", worker=f"update ({_OF_EVENTS})")
    grant("event_members", worker="update (note)")
    grant("messages", worker="update (content, deleted_at, deletion_reason)")
    for table in ("room_seats", "notifications", "message_versions"):
        grant(table, worker="delete")
    op.execute("create index mails_person_idx on mails (tenant_id, user_id)")


def _of_communities() -> None:
    for table in ("event_tags", "event_members", "messages", "events", "members", "rooms", "facts"):
        grant(table, worker="delete")
