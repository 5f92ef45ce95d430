"""events: what more of them lists are narrowed and ordered by, in columns that an index can hold."""

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table events
          add column crowd integer not null generated always as (
            case when joined_count < 100 then joined_count when joined_count < 1000 then joined_count / 10 * 10
                 when joined_count < 10000 then joined_count / 100 * 100 else joined_count / 1000 * 1000 end) stored,
          add column has_places boolean not null generated always as (
            max is null or joined_count + held_count < max) stored,
          add column level_set smallint not null generated always as (
            (case when 'BEGINNER' = any (levels) then 1 else 0 end)
            + (case when 'INTERMEDIATE' = any (levels) then 2 else 0 end)
            + (case when 'ADVANCED' = any (levels) then 4 else 0 end)) stored
        """
    )
    op.execute("create index events_crowd_idx on events (tenant_id, crowd, id)")
    for column in ("mode", "price", "has_places", "level_set"):
        op.execute(f"create index events_{column}_idx on events (tenant_id, {column}, starts_at, id)")
    for column in ("language", "currency"):
        op.execute(
            f"create index events_{column}_idx on events (tenant_id, {column}, starts_at, id) where {column} is not null"
        )
