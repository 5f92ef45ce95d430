"""events: found by words without their accents, and where no word fits by titles that look alike."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.execute("drop index events_search_idx")
    op.execute(
        "alter table events alter column search set expression as (to_tsvector('folded', title || ' ' || description "
        "|| ' ' || coalesce(city, '') || ' ' || coalesce(country, '')))"
    )
    op.execute("create index events_search_idx on events using gin (search)")
    op.execute("create index events_title_idx on events using gin (lower(title) gin_trgm_ops)")
    op.execute("drop function finders.events_by_text(text)")
    op.execute(
        """
        create function finders.events_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable security definer
        set search_path = pg_catalog, public set pg_trgm.word_similarity_threshold = 0.5 as $$
          with said as materialized (
            select e.id, ts_rank(e.search, q.query)::double precision as rank,
                   e.visibility = 'PUBLIC' and e.status in ('PUBLISHED', 'CANCELLED') as is_public
              from websearch_to_tsquery('public.folded', words) as q(query), public.events e
             where e.search @@ q.query
               and e.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid))
          select id, rank from said
          union all
          select e.id, word_similarity(lower(words), lower(e.title))::double precision
            from public.events e
           -- By what anybody sees alone, or its absence would tell of what is hidden.
           where not exists (select from said where is_public)
             and e.id not in (select id from said)
             and length(words) between 4 and 100
             and lower(words) <% lower(e.title)
             and e.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)
        $$
        """
    )
    op.execute(f"grant execute on function finders.events_by_text(text) to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.events_by_text(text) owner to {roles().finder}")
