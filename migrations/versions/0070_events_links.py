"""events: links that lead into an event, and who came by them."""

from alembic import op

from muster.kit.db.isolation import isolate, note_changes

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table event_invite_links (
          tenant_id uuid not null, id uuid not null, event_id uuid not null, code text not null, label text,
          uses bigint not null, max_uses bigint, made_by_id uuid not null, created_at timestamptz not null,
          expires_at timestamptz, revoked_at timestamptz, revoked_by_id uuid,
          constraint event_invite_links_pkey primary key (tenant_id, id),
          constraint event_invite_links_tenant_id_code_key unique (tenant_id, code),
          constraint event_invite_links_tenant_id_event_id_fkey foreign key (tenant_id, event_id)
            references events (tenant_id, id),
          constraint event_invite_links_tenant_id_made_by_id_fkey foreign key (tenant_id, made_by_id)
            references members (tenant_id, user_id),
          constraint event_invite_links_tenant_id_revoked_by_id_fkey foreign key (tenant_id, revoked_by_id)
            references members (tenant_id, user_id),
          constraint event_invite_links_uses_check check (uses >= 0 and uses <= max_uses),
          constraint event_invite_links_revoked_check check ((revoked_at is null) = (revoked_by_id is null))
        )
        """
    )
    op.execute("create index event_invite_links_newest_idx on event_invite_links (tenant_id, event_id, created_at, id)")
    isolate(
        "event_invite_links",
        app="select, insert, update (label, uses, max_uses, expires_at, revoked_at, revoked_by_id)",
        worker="select, update (label), delete",
    )
    note_changes("event_invite_links", columns=("max_uses", "expires_at", "revoked_at"), masked=("label",))
    op.execute(
        """
        create table event_invite_link_uses (
          tenant_id uuid not null, id uuid not null, link_id uuid not null, user_id uuid not null,
          used_at timestamptz not null,
          constraint event_invite_link_uses_pkey primary key (tenant_id, id),
          constraint event_invite_link_uses_tenant_id_link_id_user_id_key unique (tenant_id, link_id, user_id),
          constraint event_invite_link_uses_tenant_id_link_id_fkey foreign key (tenant_id, link_id)
            references event_invite_links (tenant_id, id),
          constraint event_invite_link_uses_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id)
        )
        """
    )
    op.execute(
        "create index event_invite_link_uses_used_idx on event_invite_link_uses (tenant_id, link_id, used_at, id)"
    )
    isolate("event_invite_link_uses", app="select, insert", worker="select, delete")
