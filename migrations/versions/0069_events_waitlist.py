"""events: parties, the policy of the queue, and places that are offered for a time."""

from alembic import op

from muster.kit.db.isolation import cross, grant

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults stay: the release before this one makes events and memberships without a word of these.
    op.execute(
        """
        alter table events
          add column waitlist_policy text not null default 'FIFO_STRICT',
          add column offer_minutes bigint, add column held_count bigint not null default 0,
          add constraint events_waitlist_policy_check check (waitlist_policy in ('FIFO_STRICT', 'BEST_FIT')),
          drop constraint events_capacity_check,
          add constraint events_capacity_check check (max is null or joined_count + held_count <= max),
          add constraint events_counts_check check (joined_count >= 0 and held_count >= 0)
        """
    )
    op.execute(
        """
        alter table event_members
          add column party_size bigint not null default 1, add column guest_names text,
          add column offer_expires_at timestamptz,
          add constraint event_members_party_size_check check (party_size between 1 and 6),
          add constraint event_members_offer_check check (offer_expires_at is null or status = 'WAITLIST')
        """
    )
    op.execute(
        "create index event_members_parties_idx on event_members (tenant_id, event_id, party_size, queue_number) "
        "where queue_number is not null and offer_expires_at is null"
    )
    # Across tenants, since that is how the schedule looks for them.
    op.execute(
        "create index event_members_offers_idx on event_members (offer_expires_at) where offer_expires_at is not null"
    )
    cross(
        "event_members",
        "worker",
        command="select",
        reason="the schedule finds the tenants in which offered places lapse",
    )
    grant("events", app="update (waitlist_policy, offer_minutes, held_count)", worker="update (held_count)")
    grant(
        "event_members",
        app="update (party_size, guest_names, offer_expires_at)",
        worker="update (party_size, guest_names, offer_expires_at)",
    )
