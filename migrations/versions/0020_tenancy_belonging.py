"""tenancy: whether somebody belongs to a community is known outside it, so that they can look at it from anywhere."""

from alembic import op

from muster.kit.db.isolation import cross
from muster.kit.db.migrate import roles

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    cross("members", "finder", command="select", reason="a person looks at a community that they have not entered")
    op.execute(
        """
        create function finders.belongs(community uuid, person uuid) returns boolean
        language sql stable security definer set search_path = pg_catalog, public as $$
          select exists (select from public.members m
                          where m.tenant_id = community and m.user_id = person and m.status = 'ACTIVE')
        $$
        """
    )
    op.execute(f"grant execute on function finders.belongs(uuid, uuid) to {roles().app}, {roles().worker}")
    op.execute(f"alter function finders.belongs(uuid, uuid) owner to {roles().finder}")
