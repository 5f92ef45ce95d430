"""tenancy: people are invited, by mail and by link, and ask to join."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _invitations()
    _uses()
    _requests()


def _invitations() -> None:
    op.execute(
        """
        create table invitations (
          tenant_id uuid not null, id uuid not null, way text not null, email text, role text not null,
          status text not null, made_by uuid not null, created_at timestamptz not null, expires_at timestamptz not null,
          uses bigint not null, max_uses bigint, letters bigint not null, letters_since timestamptz not null,
          user_id uuid, ended_at timestamptz,
          constraint invitations_pkey primary key (tenant_id, id),
          constraint invitations_tenant_id_made_by_fkey foreign key (tenant_id, made_by)
            references members (tenant_id, user_id),
          constraint invitations_way_check check (way in ('MAIL', 'LINK')),
          constraint invitations_status_check check (status in ('PENDING', 'ACCEPTED', 'DECLINED', 'REVOKED')),
          constraint invitations_email_check check ((way = 'MAIL') = (email is not null)),
          constraint invitations_uses_check check (uses >= 0 and uses <= max_uses)
        )
        """
    )
    op.execute(
        "create unique index invitations_pending_idx on invitations (tenant_id, email) "
        "where status = 'PENDING' and email is not null"
    )
    op.execute("create index invitations_newest_idx on invitations (tenant_id, created_at, id)")
    op.execute("create index invitations_way_idx on invitations (tenant_id, way, created_at, id)")
    op.execute("create index invitations_status_idx on invitations (tenant_id, status, created_at, id)")
    isolate(
        "invitations",
        app="select, insert, update (role, status, made_by, expires_at, uses, letters, letters_since, user_id, ended_at)",
        worker="select, update (status), delete",
    )


def _uses() -> None:
    op.execute(
        """
        create table invitation_uses (
          tenant_id uuid not null, id uuid not null, invitation_id uuid not null, user_id uuid not null,
          used_at timestamptz not null,
          constraint invitation_uses_pkey primary key (tenant_id, id),
          constraint invitation_uses_tenant_id_invitation_id_user_id_key unique (tenant_id, invitation_id, user_id),
          constraint invitation_uses_tenant_id_invitation_id_fkey foreign key (tenant_id, invitation_id)
            references invitations (tenant_id, id) on delete cascade,
          constraint invitation_uses_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id)
        )
        """
    )
    op.execute("create index invitation_uses_used_idx on invitation_uses (tenant_id, invitation_id, used_at, id)")
    isolate("invitation_uses", app="select, insert", worker="select, update (used_at), delete")


def _requests() -> None:
    op.execute(
        """
        create table join_requests (
          tenant_id uuid not null, id uuid not null, user_id uuid not null, note text, status text not null,
          reason text, decided_by uuid, created_at timestamptz not null, decided_at timestamptz,
          constraint join_requests_pkey primary key (tenant_id, id),
          constraint join_requests_user_id_fkey foreign key (user_id) references users (id),
          constraint join_requests_tenant_id_decided_by_fkey foreign key (tenant_id, decided_by)
            references members (tenant_id, user_id),
          constraint join_requests_status_check check (status in ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED'))
        )
        """
    )
    op.execute(
        "create unique index join_requests_pending_idx on join_requests (tenant_id, user_id) where status = 'PENDING'"
    )
    op.execute("create index join_requests_newest_idx on join_requests (tenant_id, created_at, id)")
    op.execute("create index join_requests_status_idx on join_requests (tenant_id, status, created_at, id)")
    isolate(
        "join_requests",
        app="select, insert, update (status, reason, decided_by, decided_at)",
        worker="select, update (status), delete",
    )
