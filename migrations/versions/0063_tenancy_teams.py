"""tenancy: teams, who is in them and who is to be, and invitations that lead into one."""

from alembic import op

from muster.kit.db.isolation import grant, isolate, note_changes

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _teams()
    _members()
    _requests()
    _invitations()


def _teams() -> None:
    op.execute(
        """
        create table teams (
          tenant_id uuid not null, id uuid not null, name text not null, description text, visibility text not null,
          created_at timestamptz not null,
          constraint teams_pkey primary key (tenant_id, id),
          constraint teams_tenant_id_fkey foreign key (tenant_id) references tenants (id),
          constraint teams_visibility_check check (visibility in ('PUBLIC', 'INTERNAL', 'PRIVATE'))
        )
        """
    )
    op.execute("create index teams_name_idx on teams (tenant_id, name, id)")
    op.execute("create index teams_newest_idx on teams (tenant_id, created_at, id)")
    isolate(
        "teams",
        app="select, insert, update (name, description, visibility), delete",
        worker="select, update (name), delete",
    )
    note_changes("teams", columns=("name", "visibility"), masked=("description",))


def _members() -> None:
    op.execute(
        """
        create table team_members (
          tenant_id uuid not null, id uuid not null, team_id uuid not null, user_id uuid not null, role text not null,
          joined_at timestamptz not null,
          constraint team_members_pkey primary key (tenant_id, id),
          constraint team_members_tenant_id_team_id_user_id_key unique (tenant_id, team_id, user_id),
          constraint team_members_tenant_id_team_id_fkey foreign key (tenant_id, team_id)
            references teams (tenant_id, id) on delete cascade,
          constraint team_members_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id),
          constraint team_members_role_check check (role in ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER'))
        )
        """
    )
    op.execute("create index team_members_joined_idx on team_members (tenant_id, team_id, joined_at, id)")
    op.execute("create index team_members_person_idx on team_members (tenant_id, user_id)")
    isolate(
        "team_members",
        app="select, insert, update (role), delete",
        worker="select, update (role), delete",
    )
    note_changes("team_members", columns=("role",))


def _requests() -> None:
    op.execute(
        """
        create table team_requests (
          tenant_id uuid not null, id uuid not null, team_id uuid not null, user_id uuid not null,
          made_by uuid not null, way text not null, role text not null, note text, status text not null, reason text,
          created_at timestamptz not null, decided_at timestamptz,
          constraint team_requests_pkey primary key (tenant_id, id),
          constraint team_requests_tenant_id_team_id_fkey foreign key (tenant_id, team_id)
            references teams (tenant_id, id) on delete cascade,
          constraint team_requests_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id),
          constraint team_requests_tenant_id_made_by_fkey foreign key (tenant_id, made_by)
            references members (tenant_id, user_id),
          constraint team_requests_way_check check (way in ('ASKED', 'INVITED')),
          constraint team_requests_role_check check (role in ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
          constraint team_requests_status_check check (status in ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED'))
        )
        """
    )
    op.execute(
        "create unique index team_requests_pending_idx on team_requests (tenant_id, team_id, user_id) "
        "where status = 'PENDING'"
    )
    op.execute("create index team_requests_team_idx on team_requests (tenant_id, team_id, created_at, id)")
    op.execute("create index team_requests_person_idx on team_requests (tenant_id, user_id, created_at, id)")
    isolate(
        "team_requests",
        app="select, insert, update (role, made_by, status, reason, decided_at)",
        worker="select, update (status, decided_at), delete",
    )


def _invitations() -> None:
    op.execute(
        """
        alter table invitations
          add column team_id uuid,
          add column team_role text,
          add constraint invitations_tenant_id_team_id_fkey foreign key (tenant_id, team_id)
            references teams (tenant_id, id),
          add constraint invitations_team_check check ((team_id is null) = (team_role is null))
        """
    )
    op.execute("create index invitations_team_idx on invitations (tenant_id, team_id) where team_id is not null")
    grant("invitations", app="update (team_id, team_role)", worker="update (ended_at)")
