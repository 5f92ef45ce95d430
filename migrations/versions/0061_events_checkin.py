"""events: who came, and where people may check themselves in."""

from alembic import op

from muster.kit.db.isolation import grant

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table event_members
          add column attendance text, add column arrived_at timestamptz, add column arrived_by text,
          add column scans bigint not null default 0,
          add constraint event_members_attendance_check check (attendance in ('PRESENT', 'NO_SHOW')),
          add constraint event_members_arrived_by_check check (arrived_by in ('SCAN', 'ORGANISER', 'ONESELF')),
          add constraint event_members_arrived_check
            check ((coalesce(attendance, '') = 'PRESENT') = (arrived_at is not null))
        """
    )
    op.execute(
        "create index event_members_attendance_idx on event_members (tenant_id, event_id, attendance, asked_at, id) "
        "where attendance is not null"
    )
    grant("event_members", app="update (attendance, arrived_at, arrived_by, scans)")
    op.execute("alter table events add column self_check_in_metres bigint")
    op.execute(
        "alter table events add constraint events_self_check_in_check "
        "check (self_check_in_metres is null or self_check_in_metres between 10 and 10000)"
    )
    grant("events", app="update (self_check_in_metres)")
