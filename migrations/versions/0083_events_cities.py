"""events: the cities of the world by name, and events that stand in the middle of theirs."""

from alembic import op

from muster.kit.db.isolation import global_table, grant
from muster.kit.db.migrate import roles

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table cities (
          id uuid not null, name text not null, country text not null, population bigint not null,
          latitude double precision not null, longitude double precision not null, timezone text,
          keys text[] not null, search tsvector not null, edition text not null,
          constraint cities_pkey primary key (id),
          constraint cities_country_check check (country ~ '^[A-Z]{2}$'),
          constraint cities_point_check check (latitude between -90 and 90 and longitude between -180 and 180)
        )
        """
    )
    op.execute("create index cities_population_idx on cities (population, id)")
    op.execute("create index cities_country_idx on cities (country, population, id)")
    op.execute("create index cities_search_idx on cities using gin (search)")
    shown = "id, name, country, population, latitude, longitude, timezone"
    reason = "where a city lies is the same for everybody"
    global_table("cities", reason=reason, app=f"select ({shown}, keys, search)")
    op.execute(f"grant select on cities to {roles().finder}")
    _finder()
    _named()
    _circle()
    op.execute("alter table events add column has_city_point boolean not null default false")
    op.execute(
        "alter table events add constraint events_city_point_check "
        "check (not has_city_point or num_nonnulls(latitude, city, country) = 3)"
    )
    grant("events", app="update (has_city_point)", worker="update (has_city_point)")


def _finder() -> None:
    # The last word may be the beginning of one. The most people come first, but before them who is called just this, or
    # begins so, by their own name rather than by one in another language.
    op.execute(
        """
        create function finders.cities_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable rows 100 security definer set search_path = pg_catalog, public as $$
          select c.id, (c.population + 1)::double precision
                       * case when c.keys[1] = f.folded then 1000
                              when f.folded = any (c.keys) or starts_with(c.keys[1], f.folded) then 100 else 1 end
            from (select lower(public.unaccent(btrim(words)))) as f(folded),
                 websearch_to_tsquery('public.folded', words) as whole(query),
                 lateral (select (nullif(whole.query::text, '') || ':*')::tsquery) as q(query),
                 public.cities c
           where c.search @@ q.query
        $$
        """
    )
    op.execute(f"grant execute on function finders.cities_by_text(text) to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.cities_by_text(text) owner to {roles().finder}")


def _named() -> None:
    op.execute(
        """
        create function cities_named(names text[], countries text[])
          returns table (number bigint, latitude double precision, longitude double precision)
        language sql stable parallel safe as $$
          select w.number, c.latitude, c.longitude
            from unnest(names, countries) with ordinality as w(name, country, number),
                 lateral (
                   select c.latitude, c.longitude from cities c
                    where c.search @@ phraseto_tsquery('folded', w.name)
                      and lower(unaccent(w.name)) = any (c.keys) and c.country = w.country
                    order by c.population desc, c.id limit 1) as c
        $$
        """
    )
    op.execute(f"grant execute on function cities_named(text[], text[]) to {roles().app}, {roles().worker}")


def _circle() -> None:
    # The numbers of `muster.kit.views.near.circle`, with a city for the middle. Null where there is no such city.
    op.execute(
        """
        create function circle_around_city(city uuid, kilometres double precision) returns double precision[]
        language sql stable parallel safe as $$
          select array[c.latitude, c.longitude, kilometres, c.latitude - high, c.latitude + high,
                       case when around then -180 else c.longitude - wide end,
                       case when around then 180 else c.longitude + wide end]
            from cities c,
                 lateral (select (kilometres + 0.001) / 6356.752 as angle) as a,
                 lateral (select degrees(angle) * 1.0068 as high,
                                 abs(atan(0.99330562 * tan(radians(c.latitude)))) as up) as b,
                 lateral (select case when up + angle < radians(90)
                                      then degrees(asin(least(1, sin(angle) / cos(up)))) end as wide) as d,
                 lateral (select wide is null or c.longitude - wide < -180 or c.longitude + wide > 180 as around) as e
           where c.id = city
        $$
        """
    )
    runtime = f"{roles().app}, {roles().worker}"
    op.execute(f"grant execute on function circle_around_city(uuid, double precision) to {runtime}")
