"""notifications: what each is about, so that clients read it along."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table notifications
          add column subject_kind text, add column subject_id uuid,
          add constraint notifications_subject_check check ((subject_kind is null) = (subject_id is null))
        """
    )
