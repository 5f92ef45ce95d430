"""tenancy: members come and go, are suspended and get other roles; communities may have a limit of seats."""

from alembic import op

from muster.kit.db.isolation import grant
from muster.kit.db.migrate import roles

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _seats()
    _members()
    _finder()


def _seats() -> None:
    op.execute(
        """
        alter table tenants
          add column max_members bigint,
          add constraint tenants_max_members_check check (max_members is null or (max_members >= 1 and not is_default))
        """
    )
    grant("tenants", app="select (max_members)", worker="select (max_members)")


def _members() -> None:
    op.execute(
        """
        alter table members
          add column note text,
          drop constraint members_status_check,
          add constraint members_status_check check (status in ('ACTIVE', 'SUSPENDED', 'LEFT', 'REMOVED'))
        """
    )
    op.execute("create index members_joined_idx on members (tenant_id, joined_at, id)")
    op.execute("create index members_status_idx on members (tenant_id, status, joined_at, id)")
    op.execute("create index members_inactive_idx on members (tenant_id, joined_at, id) where status <> 'ACTIVE'")
    op.execute("create index members_role_idx on members (tenant_id, role, joined_at, id)")
    op.execute("create index members_belonging_idx on members (user_id, tenant_id)")
    grant("members", app="update (role, status, joined_at, note)", worker="update (note)")


def _finder() -> None:
    """Whose name holds the words; row security would keep full-text search from an index."""
    op.execute("create index users_search_idx on users using gin (to_tsvector('simple', name))")
    op.execute(f"grant select (id, name) on users to {roles().finder}")
    op.execute(
        """
        create function finders.members_by_text(words text) returns table (id uuid, rank double precision)
        language sql stable security definer rows 20 set search_path = pg_catalog, public as $$
          select m.id, ts_rank(to_tsvector('simple', u.name), q.query)::double precision
            from websearch_to_tsquery('simple', words) as q(query)
            join public.users u on to_tsvector('simple', u.name) @@ q.query
            join public.members m on m.user_id = u.id
             and m.tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)
        $$
        """
    )
    op.execute(
        """
        create function finders.communities_of(person uuid) returns table (community uuid)
        language sql stable security definer rows 10 set search_path = pg_catalog, public as $$
          select m.tenant_id from public.members m where m.user_id = person and m.status = 'ACTIVE'
        $$
        """
    )
    op.execute(
        """
        create function finders.role_in(community uuid, person uuid) returns text
        language sql stable security definer set search_path = pg_catalog, public as $$
          select m.role from public.members m
           where m.tenant_id = community and m.user_id = person and m.status = 'ACTIVE'
        $$
        """
    )
    for function in ("members_by_text(text)", "communities_of(uuid)", "role_in(uuid, uuid)"):
        op.execute(f"grant execute on function finders.{function} to {roles().app}, {roles().worker}")
        op.execute(f"alter function finders.{function} owner to {roles().finder}")
