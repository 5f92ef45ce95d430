"""kit: queues that stand still, workers that die counted as attempts, and how many jobs there are."""

from alembic import op

from muster.kit.db.isolation import global_table
from muster.kit.db.migrate import roles

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _paused_queues()
    _takeovers_count()
    _queue_stats()


def _paused_queues() -> None:
    op.execute(
        """
        create table paused_queues (
          id uuid not null, queue text not null, since timestamptz not null,
          constraint paused_queues_pkey primary key (id),
          constraint paused_queues_queue_key unique (queue)
        )
        """
    )
    global_table(
        "paused_queues",
        reason="which queues stand still; queues are of the whole deployment",
        app="",
        worker="select, insert, delete",
    )


def _takeovers_count() -> None:
    """Count an attempt when a job goes from a worker that is gone to another; the library passes it on uncounted."""
    op.execute(
        """
        create function pgqueuer.count_takeover() returns trigger language plpgsql as $$
        begin
          new.attempts := old.attempts + 1;
          return new;
        end $$
        """
    )
    op.execute(
        """
        create trigger count_takeover before update on pgqueuer.pgqueuer for each row
        when (old.status = 'picked' and new.status = 'picked' and old.queue_manager_id <> new.queue_manager_id)
        execute function pgqueuer.count_takeover()
        """
    )


def _queue_stats() -> None:
    """Numbers only, so that the API may ask; what jobs carry stays with the worker."""
    op.execute(f"grant usage on schema pgqueuer to {roles().finder}")
    op.execute(f"grant select (entrypoint, status, execute_after) on pgqueuer.pgqueuer to {roles().finder}")
    op.execute(f"grant select (entrypoint, status) on pgqueuer.pgqueuer_log to {roles().finder}")
    op.execute(f"grant select (queue) on paused_queues to {roles().finder}")
    op.execute(
        """
        create function finders.queue_stats() returns table (
          name text, waiting bigint, active bigint, completed bigint, failed bigint, delayed bigint, paused bigint)
        language sql stable security definer set search_path = pg_catalog, public as $$
          with lines as (
            select entrypoint, case when status = 'queued' and execute_after > now() then 'delayed'
                                    when status = 'queued' then 'waiting' else status::text end as state, count(*) as jobs
              from pgqueuer.pgqueuer group by 1, 2
            union all
            select entrypoint, 'successful', count(*) from pgqueuer.pgqueuer_log where status = 'successful' group by 1
            union all
            select queue, 'waiting', 0 from paused_queues
          ), queues as (
            select l.entrypoint, p.queue is not null as paused,
                   coalesce(sum(jobs) filter (where state = 'waiting'), 0)::bigint as waiting,
                   coalesce(sum(jobs) filter (where state = 'picked'), 0)::bigint as active,
                   coalesce(sum(jobs) filter (where state = 'successful'), 0)::bigint as completed,
                   coalesce(sum(jobs) filter (where state = 'failed'), 0)::bigint as failed,
                   coalesce(sum(jobs) filter (where state = 'delayed'), 0)::bigint as delayed
              from lines l left join paused_queues p on p.queue = l.entrypoint group by 1, 2
          )
          select entrypoint, case when paused then 0 else waiting end, active, completed, failed, delayed,
                 case when paused then waiting else 0 end
            from queues order by entrypoint
        $$
        """
    )
    op.execute(f"grant execute on function finders.queue_stats() to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.queue_stats() owner to {roles().finder}")
