"""events: how many stand in each part of the map and the words of their titles, counted beforehand."""

from alembic import op

from muster.kit.db.isolation import cross, isolate
from muster.kit.db.migrate import roles

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

_SHOWN = "visibility = 'PUBLIC' and status in ('PUBLISHED', 'CANCELLED')"


def upgrade() -> None:
    _changes()
    _whose()
    _counts()
    _words()
    _what_ended()
    _what_is_there()


def _changes() -> None:
    op.execute(
        """
        create table event_tally_changes (
          tenant_id uuid not null, id uuid not null, sign smallint not null, title text not null,
          ends_at timestamptz not null, map_cell bigint, map_x integer, map_y integer,
          constraint event_tally_changes_pkey primary key (tenant_id, id)
        )
        """
    )
    isolate("event_tally_changes", app="select, insert", worker="select, insert, delete")
    cross("event_tally_changes", "finder", command="select", reason="which tenants have changes to fold")
    op.execute(
        """
        create function note_tally_change() returns trigger language plpgsql as $$
        declare
          each record;
          signs constant smallint[] := case tg_op when 'INSERT' then array[1] else array[-1, 1] end;
          sign smallint;
        begin
          foreach sign in array signs loop
            each := case sign when 1 then new else old end;
            if each.visibility = 'PUBLIC' and each.status in ('PUBLISHED', 'CANCELLED') then
              insert into event_tally_changes (tenant_id, id, sign, title, ends_at, map_cell, map_x, map_y)
              select each.tenant_id, uuidv7(), sign, each.title, each.ends_at,
                     case each.status when 'PUBLISHED' then each.map_cell end, each.map_x, each.map_y;
            end if;
          end loop;
          return null;
        end $$
        """
    )
    _noting()


def _noting() -> None:
    # Drafts pay nothing, and who comes and goes changes none of these columns.
    op.execute(
        "create trigger events_tallied after insert on events for each row "
        "when (new.visibility = 'PUBLIC' and new.status in ('PUBLISHED', 'CANCELLED')) "
        "execute function note_tally_change()"
    )
    op.execute(
        "create trigger events_tallied_again "
        "after update of title, ends_at, visibility, status, latitude, longitude, address_visibility on events "
        "for each row when ((old.title, old.ends_at, old.visibility, old.status, old.map_cell) "
        "is distinct from (new.title, new.ends_at, new.visibility, new.status, new.map_cell)) "
        "execute function note_tally_change()"
    )


def _whose() -> None:
    op.execute(
        """
        create function finders.tenants_with_tally_changes() returns table (tenant_id uuid)
        language sql stable security definer set search_path = pg_catalog, public as $$
          select distinct c.tenant_id from public.event_tally_changes c
        $$
        """
    )
    op.execute(f"grant execute on function finders.tenants_with_tally_changes() to {roles().worker}")
    op.execute(f"alter function finders.tenants_with_tally_changes() owner to {roles().finder}")


def _counts() -> None:
    op.execute(
        """
        create table event_tallies (
          tenant_id uuid not null, id uuid not null, counted_until timestamptz not null,
          constraint event_tallies_pkey primary key (tenant_id, id)
        )
        """
    )
    isolate("event_tallies", app="select", worker="select, insert, update (counted_until), delete")
    op.execute(
        """
        create table event_map_counts (
          tenant_id uuid not null, id uuid not null, level smallint not null, cell bigint not null,
          events bigint not null, sum_x bigint not null, sum_y bigint not null,
          constraint event_map_counts_pkey primary key (tenant_id, id),
          constraint event_map_counts_tenant_id_level_cell_key unique (tenant_id, level, cell)
        )
        """
    )
    op.execute("create index event_map_counts_empty_idx on event_map_counts (tenant_id) where events = 0")
    isolate("event_map_counts", app="select", worker="select, insert, update (events, sum_x, sum_y), delete")


def _words() -> None:
    op.execute(
        """
        create function title_words(title text) returns text[] language sql immutable strict parallel safe as $$
          select coalesce(array_agg(lexeme), '{}') from unnest(to_tsvector('public.folded', title))
           where lexeme ~ '[[:alpha:]]' and length(lexeme) between 3 and 60
        $$
        """
    )
    op.execute(f"grant execute on function title_words to {roles().app}, {roles().worker}")
    op.execute("create extension if not exists btree_gin")
    op.execute(
        """
        create table event_title_words (
          tenant_id uuid not null, id uuid not null, word text not null, events bigint not null,
          constraint event_title_words_pkey primary key (tenant_id, id),
          constraint event_title_words_tenant_id_word_key unique (tenant_id, word)
        )
        """
    )
    op.execute("create index event_title_words_empty_idx on event_title_words (tenant_id) where events = 0")
    op.execute(
        "create index event_title_words_similar_idx on event_title_words using gin (tenant_id, word gin_trgm_ops)"
    )
    isolate("event_title_words", app="", worker="select, insert, update (events), delete")
    cross("event_title_words", "finder", command="select", reason="trigrams may not use an index under row security")


def _what_ended() -> None:
    op.execute(
        "create index events_shown_until_idx on events (tenant_id, ends_at) "
        "where visibility = 'PUBLIC' and status = 'PUBLISHED' and map_cell is not null"
    )


def _what_is_there() -> None:
    """What was found before counts as a change, which the worker folds in."""
    op.execute("set local muster.maintenance = 'on'")
    op.execute(
        "insert into event_tally_changes (tenant_id, id, sign, title, ends_at, map_cell, map_x, map_y) "
        "select tenant_id, uuidv7(), 1, title, ends_at, case status when 'PUBLISHED' then map_cell end, map_x, map_y "
        f"from events where {_SHOWN}"
    )
    op.execute("set local muster.maintenance = 'off'")
