"""profiles: what people tell of themselves, usernames, stars and follows, when somebody was last here; blocks."""

from alembic import op

from muster.kit.db.isolation import global_table

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_PARTS = (
    *("bio_short", "bio_long", "city", "country", "home_point", "languages", "interests", "links", "skills"),
    *("education", "experience", "availability", "last_seen", "connections"),
)


def upgrade() -> None:
    _blocks()
    _profiles()
    _profile_of_each_account()
    _usernames()
    _ties()
    _sightings()


def _blocks() -> None:
    op.execute(
        """
        create table blocks (
          id uuid not null, user_id uuid not null, blocked_id uuid not null, created_at timestamptz not null,
          constraint blocks_pkey primary key (id),
          constraint blocks_user_id_fkey foreign key (user_id) references users (id),
          constraint blocks_blocked_id_fkey foreign key (blocked_id) references users (id),
          constraint blocks_user_id_blocked_id_key unique (user_id, blocked_id),
          constraint blocks_of_another_check check (user_id <> blocked_id)
        )
        """
    )
    op.execute("create index blocks_newest_idx on blocks (user_id, created_at, id)")
    global_table(
        "blocks",
        reason="people meet in many communities, and a block holds in all of them",
        app="select, insert, delete",
        worker="select, delete",
    )


def _profiles() -> None:
    audiences = "".join(
        f"{part}_for text not null default '{'SELF' if part == 'home_point' else 'MEMBERS'}', " for part in _PARTS
    )
    checks = ", ".join(
        f"constraint profiles_{part}_for_check check ({part}_for in ('EVERYONE', 'MEMBERS', 'SELF'))" for part in _PARTS
    )
    op.execute(
        f"""
        create table profiles (
          id uuid not null, bio_short text, bio_long text, city text, country text,
          latitude double precision, longitude double precision,
          languages text[] not null default '{{}}', interests text[] not null default '{{}}',
          links text[] not null default '{{}}', skills text[] not null default '{{}}',
          education jsonb not null default '[]', experience jsonb not null default '[]',
          availability text[] not null default '{{}}',
          is_public boolean not null default false, counts_views boolean not null default false,
          keeps_last_seen boolean not null default true,
          version bigint not null default 1, updated_at timestamptz, {audiences}
          constraint profiles_pkey primary key (id),
          constraint profiles_id_fkey foreign key (id) references users (id),
          {checks},
          constraint profiles_point_check check (
            num_nonnulls(latitude, longitude) in (0, 2)
            and coalesce(latitude between -90 and 90 and longitude between -180 and 180, true))
        )
        """
    )
    global_table(
        "profiles",
        reason="one person, many communities",
        app="select, insert (id), update",
        worker="select, insert (id), delete",
    )


def _profile_of_each_account() -> None:
    op.execute("insert into profiles (id) select id from users")
    op.execute(
        """
        create function make_profile() returns trigger language plpgsql as $$
        begin
          insert into profiles (id) values (new.id);
          return null;
        end $$
        """
    )
    op.execute("create trigger users_profile after insert on users for each row execute function make_profile()")


def _usernames() -> None:
    op.execute(
        """
        create table usernames (
          id uuid not null, user_id uuid not null, name text not null, taken_at timestamptz not null,
          given_up_at timestamptz,
          constraint usernames_pkey primary key (id),
          constraint usernames_user_id_fkey foreign key (user_id) references users (id),
          constraint usernames_name_key unique (name)
        )
        """
    )
    op.execute("create unique index usernames_current_idx on usernames (user_id) where given_up_at is null")
    op.execute("create index usernames_given_up_idx on usernames (user_id, given_up_at) where given_up_at is not null")
    global_table(
        "usernames",
        reason="a name leads to one person, whatever community one asks in",
        app="select, insert, update (user_id, taken_at, given_up_at)",
        worker="select, delete",
    )


def _ties() -> None:
    op.execute(
        """
        create table ties (
          id uuid not null, from_id uuid not null, to_id uuid not null, kind text not null,
          created_at timestamptz not null,
          constraint ties_pkey primary key (id),
          constraint ties_from_id_fkey foreign key (from_id) references users (id),
          constraint ties_to_id_fkey foreign key (to_id) references users (id),
          constraint ties_from_id_to_id_kind_key unique (from_id, to_id, kind),
          constraint ties_to_another_check check (from_id <> to_id),
          constraint ties_kind_check check (kind in ('STAR', 'FOLLOW'))
        )
        """
    )
    op.execute("create index ties_from_idx on ties (from_id, kind, created_at, id)")
    op.execute("create index ties_to_idx on ties (to_id, kind, created_at, id)")
    global_table(
        "ties",
        reason="people know each other from more than one community",
        app="select, insert, delete",
        worker="select, delete",
    )


def _sightings() -> None:
    op.execute(
        """
        create table sightings (
          id uuid not null, seen_at timestamptz not null,
          constraint sightings_pkey primary key (id),
          constraint sightings_id_fkey foreign key (id) references users (id)
        )
        """
    )
    global_table(
        "sightings",
        reason="a person is here, not in a community",
        app="select, insert, update (seen_at), delete",
        worker="select, delete",
    )
