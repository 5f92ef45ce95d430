"""events: invitations, to people of the community and to mail addresses; they are declined and taken back."""

from alembic import op

from muster.kit.db.isolation import isolate, note_changes

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

_DEEDS = (
    "JOIN", "LINK", "ACCEPT", "APPROVE", "PROMOTE", "ADMIT", "INVITE", "DECLINE", "UNINVITE", "REJECT", "LEAVE", "KICK",
    "BAN", "UNBAN", "CHANGE_ROLE",
)  # fmt: skip


def upgrade() -> None:
    op.execute(
        """
        create table event_invitations (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, user_id uuid, email text,
          status text not null, made_by_id uuid not null, sent_at timestamptz not null, expires_at timestamptz,
          ended_at timestamptz,
          constraint event_invitations_pkey primary key (tenant_id, id),
          constraint event_invitations_tenant_id_event_id_email_key unique (tenant_id, event_id, email),
          constraint event_invitations_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id),
          constraint event_invitations_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id),
          constraint event_invitations_tenant_id_made_by_id_fkey foreign key (tenant_id, made_by_id)
            references members (tenant_id, user_id),
          constraint event_invitations_status_check
            check (status in ('PENDING', 'ACCEPTED', 'DECLINED', 'REVOKED')),
          constraint event_invitations_by_mail_check check ((email is null) = (expires_at is null)),
          constraint event_invitations_whom_check check (user_id is not null or email is not null),
          constraint event_invitations_ended_check check ((status = 'PENDING') = (ended_at is null))
        )
        """
    )
    op.execute(
        "create unique index event_invitations_person_idx on event_invitations (tenant_id, event_id, user_id) "
        "where expires_at is null"
    )
    op.execute("create index event_invitations_newest_idx on event_invitations (tenant_id, event_id, sent_at, id)")
    op.execute(
        "create index event_invitations_status_idx on event_invitations (tenant_id, event_id, status, sent_at, id)"
    )
    isolate(
        "event_invitations",
        app="select, insert, update (user_id, status, made_by_id, sent_at, expires_at, ended_at)",
        worker="select, update (status, ended_at), delete",
    )
    note_changes("event_invitations", columns=("status", "sent_at", "expires_at"))
    op.execute("alter table event_member_changes drop constraint event_member_changes_deed_check")
    deeds = ", ".join(f"'{each}'" for each in _DEEDS)
    op.execute(
        f"alter table event_member_changes add constraint event_member_changes_deed_check check (deed in ({deeds}))"
    )
