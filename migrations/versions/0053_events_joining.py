"""events: requests, the window in which people get in, and every standing of a membership."""

from alembic import op

from muster.kit.db.isolation import grant, note_changes

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_MINUTES = "join_opens_minutes_before_start, join_cutoff_minutes_before_start, late_join_cutoff_minutes_after_start"
_CLOSED = "join_closed_at, join_closed_by_id, join_close_reason"


def upgrade() -> None:
    _events()
    _members()


def _events() -> None:
    op.execute(
        """
        alter table events
          add column join_opens_minutes_before_start bigint, add column join_cutoff_minutes_before_start bigint,
          add column allow_join_late boolean not null default true,
          add column late_join_cutoff_minutes_after_start bigint,
          add column join_closed_at timestamptz, add column join_closed_by_id uuid, add column join_close_reason text,
          add column may_ask_again boolean not null default false,
          drop constraint events_join_mode_check,
          add constraint events_join_mode_check check (join_mode in ('OPEN', 'REQUEST', 'INVITE_ONLY')),
          add constraint events_join_minutes_check check (
            join_opens_minutes_before_start between 0 and 10080 and join_cutoff_minutes_before_start between 0 and 10080
            and late_join_cutoff_minutes_after_start between 0 and 10080),
          add constraint events_join_window_check check (
            join_opens_minutes_before_start > join_cutoff_minutes_before_start
            and (allow_join_late or late_join_cutoff_minutes_after_start is null)),
          add constraint events_join_closed_check check (
            join_closed_at is not null or num_nonnulls(join_closed_by_id, join_close_reason) = 0),
          add constraint events_tenant_id_join_closed_by_id_fkey foreign key (tenant_id, join_closed_by_id)
            references members (tenant_id, user_id)
        """
    )
    grant("events", app=f"update ({_MINUTES}, allow_join_late, may_ask_again, {_CLOSED})", worker=f"update ({_CLOSED})")
    note_changes(
        "events",
        columns=(
            *(
                "status",
                "published_at",
                "cancelled_at",
                "starts_at",
                "ends_at",
                "timezone",
                "meeting_kind",
                "join_mode",
            ),
            *("mode", "min", "max", "visibility", *_MINUTES.split(", "), "allow_join_late", "may_ask_again"),
            *("join_closed_at", "join_closed_by_id"),
        ),
        masked=(
            *("title", "description", "online_url", "url", "address", "city", "country", "cancel_reason"),
            "join_close_reason",
        ),
    )


def _members() -> None:
    op.execute(
        """
        alter table event_members
          add column asked_number bigint, add column reject_reason text,
          drop constraint event_members_status_check,
          add constraint event_members_status_check check (status in (
            'JOINED', 'PENDING', 'INVITED', 'REJECTED', 'BANNED', 'LEFT', 'KICKED', 'CANCELLED', 'WAITLIST')),
          add constraint event_members_asked_check check (status <> 'PENDING' or asked_number is not null)
        """
    )
    grant("event_members", app="update (asked_number, reject_reason)", worker="update (reject_reason)")
