"""What is kept of jobs that have ended: enough to look into, not enough to grow."""

from datetime import timedelta

from muster.kit.commands.context import Ctx

COMPLETED, COMPLETED_FOR = 100, timedelta(hours=24)
"""Jobs of each queue that went well, and for how long; whichever is reached first."""
FAILED, FAILED_FOR = 500, timedelta(days=7)
"""Jobs of each queue that used up their attempts, likewise; they can be queued again as long as they are kept."""

_FAILED_TOO_MANY = """
delete from pgqueuer.pgqueuer where id in (
  select id from (
    select id, updated, row_number() over (partition by entrypoint order by updated desc, id desc) as place
      from pgqueuer.pgqueuer where status = 'failed'
  ) as failed
  where place > $1 or updated < $2
)
"""
# The library writes three lines for every job, and removes none. A job's lines go together, once it has ended.
_LINES_TOO_MANY = """
with kept as (
  select job_id from (
    select job_id, row_number() over (partition by entrypoint, status order by id desc) as place
      from pgqueuer.pgqueuer_log where status in ('successful', 'canceled', 'deleted') and created >= $2
  ) as ended
  where place <= $1
)
delete from pgqueuer.pgqueuer_log where id in (
  select l.id from pgqueuer.pgqueuer_log l
   where not exists (select from kept where kept.job_id = l.job_id)
     and not exists (select from pgqueuer.pgqueuer q where q.id = l.job_id)
   limit $3
)
"""
_STEPS = "delete from job_steps s where not exists (select from pgqueuer.pgqueuer q where q.id = s.job_id)"
_AT_ONCE = 200_000


async def forget_finished(ctx: Ctx) -> None:
    """Remove what need not be kept of jobs that have ended; belongs in the schedule."""
    await ctx.db.connection.execute(_FAILED_TOO_MANY, FAILED, ctx.now - FAILED_FOR)
    await ctx.db.connection.execute(_LINES_TOO_MANY, COMPLETED, ctx.now - COMPLETED_FOR, _AT_ONCE)
    await ctx.db.connection.execute(_STEPS)
