"""events: what became of each membership."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_member_changes (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, user_id uuid not null,
          deed text not null, status text not null, role text not null, at timestamptz not null, actor_id uuid, note text,
          constraint event_member_changes_pkey primary key (tenant_id, id),
          constraint event_member_changes_tenant_id_event_id_user_id_fkey foreign key (tenant_id, event_id, user_id)
            references event_members (tenant_id, event_id, user_id),
          constraint event_member_changes_deed_check check (deed in (
            'JOIN', 'LINK', 'ACCEPT', 'APPROVE', 'PROMOTE', 'ADMIT', 'INVITE', 'REJECT', 'LEAVE', 'KICK', 'BAN', 'UNBAN',
            'CHANGE_ROLE')),
          constraint event_member_changes_status_check check (status in (
            'JOINED', 'PENDING', 'INVITED', 'REJECTED', 'BANNED', 'LEFT', 'KICKED', 'CANCELLED', 'WAITLIST')),
          constraint event_member_changes_role_check check (role in ('OWNER', 'MODERATOR', 'PARTICIPANT'))
        )
        """
    )
    op.execute(
        "create index event_member_changes_history_idx on event_member_changes (tenant_id, event_id, user_id, at, id)"
    )
    # Nobody changes what was; the worker takes notes away with the person they are about.
    isolate("event_member_changes", app="select, insert", worker="select, insert, update (note), delete")
