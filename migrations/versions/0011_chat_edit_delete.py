"""chat: messages are edited and deleted; what they said before is kept for moderators."""

from alembic import op

from muster.kit.db.isolation import grant, isolate

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table messages
          alter column content drop not null,
          add column edited_at timestamptz,
          add column deleted_at timestamptz,
          add column deleted_by_id uuid,
          add column deletion_reason text,
          add constraint messages_content_check check ((deleted_at is null) = (content is not null)),
          add constraint messages_tenant_id_deleted_by_id_fkey foreign key (tenant_id, deleted_by_id)
            references members (tenant_id, user_id)
        """
    )
    op.execute(
        """
        create table message_versions (
          tenant_id uuid not null, id uuid not null, message_id uuid not null, author_id uuid not null,
          content text not null, written_at timestamptz not null,
          constraint message_versions_pkey primary key (tenant_id, id),
          constraint message_versions_tenant_id_message_id_fkey foreign key (tenant_id, message_id)
            references messages (tenant_id, id),
          constraint message_versions_tenant_id_author_id_fkey foreign key (tenant_id, author_id)
            references members (tenant_id, user_id)
        )
        """
    )
    op.execute("create index message_versions_written_idx on message_versions (tenant_id, message_id, written_at, id)")
    isolate("message_versions", app="select, insert, delete", worker="select")
    grant("messages", app="update (content, edited_at, deleted_at, deleted_by_id, deletion_reason)")
