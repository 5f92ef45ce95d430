"""kit: mail to people."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mails (
          tenant_id uuid not null, id uuid not null, user_id uuid not null, fact_id uuid not null,
          address text not null, kind text not null, data jsonb not null,
          state text not null, attempts bigint not null,
          created_at timestamptz not null, sent_at timestamptz, error text,
          constraint mails_pkey primary key (tenant_id, id),
          constraint mails_tenant_id_fact_id_address_kind_key unique (tenant_id, fact_id, address, kind),
          constraint mails_state_check check (state in ('WAITING', 'SENT', 'KEPT', 'DROPPED', 'FAILED'))
        )
        """
    )
    op.execute("create index mails_newest_idx on mails (tenant_id, created_at, id)")
    isolate("mails", app="select", worker="select, insert, update (state, attempts, sent_at, error)")
