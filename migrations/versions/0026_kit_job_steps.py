"""kit: what the steps of a long job remember."""

from alembic import op

from muster.kit.db.isolation import cross, isolate

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table job_steps (
          tenant_id uuid not null, id uuid not null, job_id bigint not null, name text not null,
          result jsonb, due_at timestamptz, awaits text, about uuid,
          constraint job_steps_pkey primary key (tenant_id, id),
          constraint job_steps_tenant_id_job_id_name_key unique (tenant_id, job_id, name)
        )
        """
    )
    op.execute(
        "create index job_steps_awaits_idx on job_steps (tenant_id, about, awaits) "
        "where awaits is not null and result is null"
    )
    op.execute("create index job_steps_job_idx on job_steps (job_id)")
    isolate("job_steps", app="", worker="select, insert, update (result), delete")
    cross("job_steps", "worker", command="select", reason="the sequencer wakes the jobs that wait for a fact")
    cross("job_steps", "worker", command="delete", reason="steps are forgotten when their job has ended")
