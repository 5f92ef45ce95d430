"""events: what words find is looked up, and titles that look alike are a few hundred at most."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _events()
    _topics()
    for name in ("events_by_text", "topics_by_text"):
        op.execute(f"grant execute on function finders.{name}(text) to {roles().app}, {roles().worker}")
        op.execute(f"alter function finders.{name}(text) owner to {roles().finder}")


def _events() -> None:
    # The planner takes a function for a thousand rows, walks all events by their start and asks of each whether it was
    # found: 533 ms among 100,000. Told that they are few it looks up what was found: 61 ms.
    # Comparing a title with what was typed takes 10 us, and every title may look like "evenning".
    op.execute("drop function finders.events_by_text(text)")
    op.execute(
        """
        create function finders.events_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable security definer rows 20
        set search_path = pg_catalog, public set pg_trgm.word_similarity_threshold = 0.5 as $$
          with said as materialized (
            select e.id, ts_rank(e.search, q.query)::double precision as rank,
                   e.visibility = 'PUBLIC' and e.status in ('PUBLISHED', 'CANCELLED') as is_public
              from websearch_to_tsquery('public.folded', words) as q(query), public.events e
             where e.search @@ q.query
               and e.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid))
          select id, rank from said
          union all
          (select e.id, word_similarity(lower(words), lower(e.title))::double precision
            from public.events e
           -- By what anybody sees alone, or its absence would tell of what is hidden.
           where not exists (select from said where is_public)
             and e.id not in (select id from said)
             and length(words) between 4 and 100
             and lower(words) <% lower(e.title)
             and e.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)
           limit 500)
        $$
        """
    )


def _topics() -> None:
    op.execute("drop function finders.topics_by_text(text)")
    op.execute(
        """
        create function finders.topics_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable security definer rows 20 set search_path = pg_catalog, public as $$
          select t.id, ts_rank(t.search, q.query)::double precision
            from websearch_to_tsquery('public.folded', words) as whole(query),
                 lateral (select (nullif(whole.query::text, '') || ':*')::tsquery) as q(query),
                 public.topics t
           where t.search @@ q.query
             and t.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)
        $$
        """
    )
