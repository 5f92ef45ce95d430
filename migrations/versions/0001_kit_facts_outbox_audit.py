"""kit: facts, the outbox, the audit log."""

from alembic import op

from muster.kit.db.isolation import cross, isolate

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create function refuse_change() returns trigger language plpgsql as $$
        begin
          raise exception 'rows of % are only ever added', tg_table_name using errcode = 'insufficient_privilege';
        end $$
        """
    )
    _facts()
    _outbox()
    _audit()


def _facts() -> None:
    op.execute(
        """
        create table facts (
          tenant_id uuid not null, id uuid not null,
          kind text not null, version bigint not null, aggregate_id uuid not null, data jsonb not null,
          actor_kind text not null, actor_id uuid, request_id text not null, at timestamptz not null,
          position bigint,
          constraint facts_pkey primary key (tenant_id, id)
        )
        """
    )
    op.execute("create index facts_position_idx on facts (tenant_id, position) where position is not null")
    op.execute("create index facts_topic_idx on facts (tenant_id, aggregate_id, position) where position is not null")
    isolate("facts", app="select, insert", worker="select, insert, update (position)")
    cross("facts", "worker", command="select", reason="the sequencer reads the facts of every tenant to order them")
    cross("facts", "worker", command="update", reason="the sequencer gives the facts of every tenant their position")


def _outbox() -> None:
    op.execute(
        """
        create table outbox (
          tenant_id uuid not null, fact_id uuid not null,
          turn bigint not null generated always as identity,
          constraint outbox_pkey primary key (tenant_id, fact_id)
        )
        """
    )
    op.execute("create index outbox_turn_idx on outbox (turn)")
    isolate("outbox", app="insert", worker="select, insert, delete")
    cross("outbox", "worker", command="select", reason="the sequencer finds what every tenant's commands left")
    cross("outbox", "worker", command="delete", reason="the sequencer takes what it has ordered out of the outbox")


def _audit() -> None:
    op.execute(
        """
        create table audit_rows (
          tenant_id uuid not null, id uuid not null, at timestamptz not null,
          actor_kind text not null, actor_id uuid, reason text,
          verb text not null, outcome text not null, object_kind text, object_id uuid,
          address text, agent text, request_id text not null,
          constraint audit_rows_pkey primary key (tenant_id, id)
        )
        """
    )
    op.execute("create index audit_rows_at_idx on audit_rows (tenant_id, at, id)")
    isolate("audit_rows", app="select, insert", append_only=True)
