"""kit: mails are forgotten some time after they were sent or given up."""

from muster.kit.db.isolation import grant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Found by `mails_newest_idx`: what is old in one tenant.
    grant("mails", worker="delete")
