"""chat: rooms, who sits in them, and what is said."""

from alembic import op

from muster.kit.db.isolation import isolate

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table rooms (
          tenant_id uuid not null, id uuid not null, last_sequence bigint not null,
          constraint rooms_pkey primary key (tenant_id, id)
        )
        """
    )
    op.execute(
        """
        create table room_seats (
          tenant_id uuid not null, id uuid not null, room_id uuid not null, user_id uuid not null,
          constraint room_seats_pkey primary key (tenant_id, id),
          constraint room_seats_tenant_id_room_id_user_id_key unique (tenant_id, room_id, user_id),
          constraint room_seats_tenant_id_room_id_fkey foreign key (tenant_id, room_id)
            references rooms (tenant_id, id),
          constraint room_seats_tenant_id_user_id_fkey foreign key (tenant_id, user_id)
            references members (tenant_id, user_id)
        )
        """
    )
    op.execute(
        """
        create table messages (
          tenant_id uuid not null, id uuid not null, room_id uuid not null, sequence bigint not null,
          author_id uuid not null, content text not null, created_at timestamptz not null,
          constraint messages_pkey primary key (tenant_id, id),
          constraint messages_tenant_id_room_id_sequence_key unique (tenant_id, room_id, sequence),
          constraint messages_tenant_id_room_id_fkey foreign key (tenant_id, room_id) references rooms (tenant_id, id),
          constraint messages_tenant_id_author_id_fkey foreign key (tenant_id, author_id)
            references members (tenant_id, user_id)
        )
        """
    )
    isolate("rooms", app="select, insert, update (last_sequence)", worker="select")
    # Who speaks holds their seat with FOR KEY SHARE, and PostgreSQL asks the right to update for that.
    isolate("room_seats", app="select, insert, delete, update (id)", worker="select")
    isolate("messages", app="select, insert", worker="select")
