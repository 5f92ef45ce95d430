"""events: mistyped words are spelled by the words of titles, and what is ranked is bounded."""

from alembic import op

from muster.kit.db.isolation import grant
from muster.kit.db.migrate import roles

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None

_TENANT = "(select nullif(current_setting('muster.tenant', true), '')::uuid)"
_ROWS = "returns table (id uuid, rank double precision) language sql stable security definer rows 20"


def upgrade() -> None:
    # With the community in it: else PostgreSQL puts the index of words together with all rows of a large community, by
    # another index, which took 160 ms of the 5 that a rare word takes.
    op.execute("drop index events_search_idx")
    op.execute("create index events_search_idx on events using gin (tenant_id, search)")
    # Titles that look alike are found by their words.
    op.execute("drop index events_title_idx")
    _spelled()
    _ranked()
    _by_text()
    _by_relevance()
    for name in ("spelled(text)", "events_ranked(tsquery)", "events_by_text(text)", "events_by_relevance(text)"):
        op.execute(f"revoke execute on function finders.{name} from public")
        op.execute(f"grant execute on function finders.{name} to {roles().app}, {roles().worker}")
        op.execute(f"alter function finders.{name} owner to {roles().finder}")
    # `muster tenant recount` acts as the API does.
    grant("event_tallies", app="insert, update (counted_until)")
    grant("event_tally_changes", app="delete")
    grant("event_map_counts", app="insert, update (events, sum_x, sum_y), delete")
    grant("event_title_words", app="select, insert, update (events), delete")


def _spelled() -> None:
    """What somebody may have meant: each word as titles have it, or the one of theirs that looks most like it.

    NULL where a word looks like none, and for words that are excluded or alternatives.
    """
    op.execute(
        f"""
        create function finders.spelled(words text) returns tsquery language sql stable security definer
        set search_path = pg_catalog, public set pg_trgm.similarity_threshold = 0.25 as $$
          select case when count(*) = count(meant.word) and count(*) between 1 and 8
                   then to_tsquery('simple', string_agg('''' || replace(meant.word, '''', '''''') || '''', ' & ')) end
            from unnest(to_tsvector('public.folded', words)) as typed,
                 lateral (select case
                   when typed.lexeme !~ '[[:alpha:]]' or length(typed.lexeme) not between 3 and 60 then typed.lexeme
                   else coalesce(
                     (select t.word from public.event_title_words t
                       where t.tenant_id = {_TENANT} and t.word = typed.lexeme and t.events > 0),
                     (select t.word from public.event_title_words t
                       where t.tenant_id = {_TENANT} and t.word % typed.lexeme and t.events > 0
                       order by similarity(t.word, typed.lexeme) desc, t.events desc, t.word limit 1)) end) as meant (word)
           where websearch_to_tsquery('public.folded', words)::text !~ '[!|]' and length(words) between 4 and 100
        $$
        """
    )


def _ranked() -> None:
    """Of what the newest ten thousand hold a hundred, those are ranked and no others: what is rarer is looked up.

    What is not among the newest five hundred three times is taken to be rarer: a small community is not walked whole.
    """
    op.execute(
        f"""
        create function finders.events_ranked(query tsquery)
        returns table (id uuid, rank double precision, is_public boolean)
        language sql stable security definer rows 20 set search_path = pg_catalog, public as $$
          with seems_common as materialized (
            select count(*) >= 3 as it_does
              from (select n.search, n.visibility = 'PUBLIC' and n.status in ('PUBLISHED', 'CANCELLED') as is_public
                      from public.events n where n.tenant_id = {_TENANT}
                     order by n.created_at desc, n.id desc limit 500) as e
             where e.search @@ query and e.is_public),
          newest as materialized (
            select e.id, ts_rank(e.search, query)::double precision as rank, e.is_public
              from (select n.id, n.search, n.visibility = 'PUBLIC' and n.status in ('PUBLISHED', 'CANCELLED') as is_public
                      from public.events n where n.tenant_id = {_TENANT}
                     order by n.created_at desc, n.id desc
                     limit (select case when s.it_does then 10000 else 0 end from seems_common s)) as e
             where e.search @@ query),
          many as materialized (select count(*) filter (where n.is_public) >= 100 as are_many from newest n)
          select n.id, n.rank, n.is_public from newest n where (select are_many from many)
          union all
          select e.id, ts_rank(e.search, query)::double precision,
                 e.visibility = 'PUBLIC' and e.status in ('PUBLISHED', 'CANCELLED')
            from public.events e
           where not (select are_many from many) and e.search @@ query and e.tenant_id = {_TENANT}
        $$
        """
    )


def _by_text() -> None:
    op.execute("drop function finders.events_by_text(text)")
    op.execute(
        f"""
        create function finders.events_by_text(words text) {_ROWS} set search_path = pg_catalog, public as $$
          with said as materialized (
            select e.id, ts_rank(e.search, q.query)::double precision as rank,
                   e.visibility = 'PUBLIC' and e.status in ('PUBLISHED', 'CANCELLED') as is_public
              from websearch_to_tsquery('public.folded', words) as q(query), public.events e
             where e.search @@ q.query and e.tenant_id = {_TENANT})
          select s.id, s.rank from said s
          union all
          select r.id, r.rank from finders.events_ranked(finders.spelled(words)) as r
           -- By what anybody sees alone, or its absence would tell of what is hidden.
           where not exists (select from said s where s.is_public) and r.id not in (select s.id from said s)
        $$
        """
    )


def _by_relevance() -> None:
    op.execute(
        f"""
        create function finders.events_by_relevance(words text) {_ROWS} set search_path = pg_catalog, public as $$
          with said as materialized (
            select r.id, r.rank, r.is_public
              from finders.events_ranked(websearch_to_tsquery('public.folded', words)) as r)
          select s.id, s.rank from said s
          union all
          select r.id, r.rank from finders.events_ranked(finders.spelled(words)) as r
           where not exists (select from said s where s.is_public) and r.id not in (select s.id from said s)
        $$
        """
    )
