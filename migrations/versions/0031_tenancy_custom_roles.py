"""tenancy: roles that a community makes for itself, and members who have one."""

from alembic import op

from muster.kit.db.isolation import announce_rights, isolate
from muster.kit.db.migrate import roles

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_BUILT_IN = (
    "'owner', 'admin', 'moderator', 'question_manager', 'account_officer', 'inspector', 'participant', "
    "'practice_user', 'spectator', 'staff'"
)
_PLATFORM = "00000000-0000-7000-8000-000000000000"


def upgrade() -> None:
    op.execute(
        f"""
        create table custom_roles (
          tenant_id uuid not null, id uuid not null, slug text not null, name text not null, colour text not null,
          base text not null, additions text[] not null, removals text[] not null,
          created_at timestamptz not null, updated_at timestamptz not null,
          constraint custom_roles_pkey primary key (tenant_id, id),
          constraint custom_roles_tenant_id_slug_key unique (tenant_id, slug),
          constraint custom_roles_tenant_id_fkey foreign key (tenant_id) references tenants (id),
          constraint custom_roles_slug_check check (slug not in ({_BUILT_IN}))
        )
        """
    )
    isolate("custom_roles", app="select, insert, update, delete", worker="select, update (updated_at), delete")
    announce_rights("custom_roles", tenant="tenant_id", user=None, columns=("base", "additions", "removals"))
    # Who has no built-in role has one of the community's own, and while they do, it is there: the foreign key says so.
    op.execute(
        f"""
        alter table members
          add column custom_role text generated always as (case when role in ({_BUILT_IN}) then null else role end) stored,
          add constraint members_tenant_id_custom_role_fkey
            foreign key (tenant_id, custom_role) references custom_roles (tenant_id, slug),
          add constraint members_staff_check check (role <> 'staff' or tenant_id = '{_PLATFORM}')
        """
    )
    op.execute("create index members_custom_role_idx on members (tenant_id, custom_role) where custom_role is not null")
    # A function, and not a join: the check of every caller names no further table, and asks this only of who has such a role.
    op.execute(
        """
        create function custom_role_of(wanted text) returns json language sql stable as $$
          select json_build_object('base', r.base, 'additions', r.additions, 'removals', r.removals)
            from custom_roles r where r.slug = wanted
        $$
        """
    )
    op.execute(f"grant execute on function custom_role_of(text) to {roles().app}, {roles().worker}")
