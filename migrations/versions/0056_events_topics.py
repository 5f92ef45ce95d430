"""events: topics, which are the categories and tags of a community, and words without their accents."""

from alembic import op

from muster.kit.db.isolation import cross, isolate, note_changes
from muster.kit.db.migrate import roles

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _folded_words()
    op.execute(
        """
        create table topics (
          tenant_id uuid not null, id uuid not null,
          kind text not null, slug text not null, names jsonb not null,
          created_at timestamptz not null, updated_at timestamptz not null,
          search tsvector not null
            generated always as (to_tsvector('folded', slug) || to_tsvector('folded', names)) stored,
          constraint topics_pkey primary key (tenant_id, id),
          constraint topics_tenant_id_kind_slug_key unique (tenant_id, kind, slug),
          constraint topics_kind_check check (kind in ('CATEGORY', 'TAG'))
        )
        """
    )
    op.execute("create index topics_slug_idx on topics (tenant_id, slug, id)")
    op.execute("create index topics_kind_idx on topics (tenant_id, kind, slug, id)")
    op.execute("create index topics_search_idx on topics using gin (search)")
    isolate("topics", app="select, insert, delete, update (slug, names, updated_at)", worker="select, delete")
    note_changes("topics", columns=("slug", "names"))
    op.execute(
        """
        create table event_categories (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, topic_id uuid not null,
          constraint event_categories_pkey primary key (tenant_id, id),
          constraint event_categories_tenant_id_event_id_topic_id_key unique (tenant_id, event_id, topic_id),
          constraint event_categories_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id),
          constraint event_categories_tenant_id_topic_id_fkey foreign key (tenant_id, topic_id)
            references topics (tenant_id, id)
        )
        """
    )
    op.execute("create index event_categories_topic_idx on event_categories (tenant_id, topic_id, event_id)")
    isolate("event_categories", app="select, insert, delete", worker="select, delete")
    _finder()


def _folded_words() -> None:
    """A search configuration that takes words as they are, without case and accents: `unaccent` is a trusted extension
    of PostgreSQL's own, which the owner of a database may make.
    """
    op.execute("create extension if not exists unaccent")
    op.execute("create text search configuration folded (copy = simple)")
    op.execute(
        "alter text search configuration folded alter mapping for "
        "asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart "
        "with unaccent, simple"
    )


def _finder() -> None:
    cross("topics", "finder", command="select", reason="full-text operators may not use an index under row security")
    op.execute(
        """
        create function finders.topics_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable security definer set search_path = pg_catalog, public as $$
          select t.id, ts_rank(t.search, q.query)::double precision
            from websearch_to_tsquery('public.folded', words) as whole(query),
                 lateral (select (nullif(whole.query::text, '') || ':*')::tsquery) as q(query),
                 public.topics t
           where t.search @@ q.query
             and t.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)
        $$
        """
    )
    op.execute(f"grant execute on function finders.topics_by_text(text) to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.topics_by_text(text) owner to {roles().finder}")
