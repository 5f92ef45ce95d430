"""kit: say at once when somebody's right to be here changes, so that what they have open can be asked about."""

from alembic import op

from muster.kit.db.isolation import announce_rights

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create function announce_rights() returns trigger language plpgsql as $$
        declare
          changed jsonb := to_jsonb(coalesce(new, old));
        begin
          perform pg_notify('muster_rights', json_build_object('t', changed -> tg_argv[0], 'u', changed -> tg_argv[1])::text);
          return null;
        end $$
        """
    )
    announce_rights("sessions", tenant=None, user="user_id", columns=("revoked_at",))
    announce_rights("members", tenant="tenant_id", user="user_id", columns=("role", "status"))
