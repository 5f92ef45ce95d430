"""access: who of the platform's staff acted as whom, and why."""

from alembic import op

from muster.kit.db.isolation import announce_rights, global_table, grant
from muster.kit.db.migrate import roles

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_PLATFORM = "00000000-0000-7000-8000-000000000000"
_COLUMNS = "id, staff_id, user_id, community_id, session_id, why, ticket, started_at, expires_at, ended_at"
_ARGUMENTS = "uuid, uuid, uuid, uuid, timestamptz"


def upgrade() -> None:
    op.execute(
        """
        create table impersonations (
          id uuid not null, staff_id uuid not null, user_id uuid not null, community_id uuid not null,
          session_id uuid not null, why text not null, ticket text not null,
          started_at timestamptz not null, expires_at timestamptz not null, ended_at timestamptz,
          constraint impersonations_pkey primary key (id),
          constraint impersonations_staff_id_fkey foreign key (staff_id) references users (id),
          constraint impersonations_user_id_fkey foreign key (user_id) references users (id),
          constraint impersonations_term_check check (expires_at <= started_at + interval '60 minutes')
        )
        """
    )
    op.execute("create index impersonations_newest_idx on impersonations (user_id, started_at, id)")
    op.execute("create index impersonations_open_idx on impersonations (expires_at) where ended_at is null")
    global_table(
        "impersonations",
        reason="the platform's staff acts as a person, and the person sees it from anywhere",
        app=f"select ({_COLUMNS}), insert ({_COLUMNS}), update (ended_at)",
        worker=f"select ({_COLUMNS}), update (ended_at), delete",
    )
    announce_rights("impersonations", tenant="community_id", user="user_id", columns=("ended_at",))
    grant("members", app="update (role, status)")
    # Asked of everybody who acts as somebody else, each time: staff is never acted as, and who is not staff any more acts
    # as nobody, nor does who has signed out.
    op.execute(
        f"""
        create function acts_as(impersonation uuid, person uuid, community uuid, staff uuid, at timestamptz)
        returns boolean language sql stable as $$
          select exists (
                   select from impersonations i join sessions s on s.id = i.session_id
                    where i.id = impersonation and i.user_id = person and i.community_id = community
                      and i.staff_id = staff and i.ended_at is null and i.expires_at > at
                      and s.user_id = staff and s.revoked_at is null and s.expires_at > at)
                 and finders.belongs('{_PLATFORM}', staff) and not finders.belongs('{_PLATFORM}', person)
        $$
        """
    )
    op.execute(f"grant execute on function acts_as({_ARGUMENTS}) to {roles().app}, {roles().worker}")
