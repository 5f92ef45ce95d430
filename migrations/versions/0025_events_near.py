"""events: distances on Earth, and the index by which what is near is found."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _distance()
    op.execute(
        "create index events_point_idx on events (tenant_id, latitude, longitude, id) where latitude is not null"
    )
    for function in ("geocentric", "kilometres_between"):
        op.execute(f"grant execute on function {function} to {roles().app}, {roles().worker}")


def _distance() -> None:
    """The angle between two points seen from the middle of the Earth, times the mean of their distances from it.

    Axes and eccentricity are those of WGS 84. Degrees are rounded to a centimetre: the square of a smaller one would
    underflow, which is an error.
    """
    op.execute(
        """
        create function geocentric(latitude double precision) returns double precision
        language sql immutable parallel safe as $$
          select atan(0.99330562 * tan(radians(round(latitude * 1e7) / 1e7)))
        $$
        """
    )
    op.execute(
        """
        create function kilometres_between(
          from_latitude double precision, from_longitude double precision,
          to_latitude double precision, to_longitude double precision
        ) returns double precision language sql immutable parallel safe as $$
          select round(1000 * (12756.274 - 21.3847 * (sin(geocentric(from_latitude)) ^ 2 + sin(geocentric(to_latitude)) ^ 2))
                 * asin(least(1, sqrt(
                     sin((geocentric(to_latitude) - geocentric(from_latitude)) / 2) ^ 2
                     + cos(geocentric(from_latitude)) * cos(geocentric(to_latitude))
                       * sin(radians(round((to_longitude - from_longitude) * 1e7) / 1e7) / 2) ^ 2)))) / 1000
        $$
        """
    )
