"""profiles: a public page whose views may be counted; people change how they want to be called."""

from alembic import op

from muster.kit.db.isolation import global_table
from muster.kit.db.migrate import roles

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table profiles add column is_indexed boolean not null default false")
    op.execute(
        """
        create table profile_views (
          id uuid not null, count bigint not null,
          constraint profile_views_pkey primary key (id),
          constraint profile_views_id_fkey foreign key (id) references users (id)
        )
        """
    )
    op.execute(
        """
        create table profile_visits (
          id uuid not null, at timestamptz not null,
          constraint profile_visits_pkey primary key (id)
        )
        """
    )
    op.execute("create index profile_visits_at_idx on profile_visits (at)")
    global_table(
        "profile_views",
        reason="a public page belongs to no community",
        app="select, insert, update (count)",
        worker="select, delete",
    )
    global_table(
        "profile_visits",
        reason="a public page belongs to no community",
        app="select, insert",
        worker="select, delete",
    )
    op.execute(f"grant update (name) on users to {roles().app}")
