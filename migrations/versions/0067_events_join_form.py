"""events: what they ask of who wants in, and the answers."""

from alembic import op

from muster.kit.db.isolation import grant, isolate

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_join_forms (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, version bigint not null,
          questions jsonb not null,
          constraint event_join_forms_pkey primary key (tenant_id, id),
          constraint event_join_forms_tenant_id_event_id_key unique (tenant_id, event_id),
          constraint event_join_forms_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id)
        )
        """
    )
    isolate("event_join_forms", app="select, insert, update (version, questions)", worker="select, delete")
    op.execute("alter table events add column has_join_form boolean not null default false")
    op.execute("alter table event_members add column answers jsonb")
    grant("events", app="update (has_join_form)")
    grant("event_members", app="update (answers)", worker="update (answers)")
