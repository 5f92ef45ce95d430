"""events: where they lie on the map, as cells in Z-order, so that a tile is one range of an index."""

from alembic import op

from muster.kit.db.migrate import roles

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _mercator()
    _z_order()
    op.execute(
        "alter table events "
        "add column map_x integer generated always as (map_column(longitude)) stored, "
        "add column map_y integer generated always as (map_row(latitude)) stored, "
        "add column map_cell bigint generated always as (map_cell(map_column(longitude), map_row(latitude))) stored"
    )
    op.execute(
        "create index events_map_idx on events (tenant_id, map_cell) "
        "include (map_x, map_y, status, visibility, ends_at, id) where map_cell is not null"
    )
    for function in ("map_column", "map_row", "map_cell"):
        op.execute(f"grant execute on function {function} to {roles().app}, {roles().worker}")


def _mercator() -> None:
    """Column and row of a point in the Web Mercator square of 2^28 by 2^28 cells (EPSG:3857), from north-west.

    Degrees are rounded to a centimetre: the product of a smaller one would underflow, which is an error.
    """
    op.execute(
        """
        create function map_column(longitude double precision) returns integer
        language sql immutable strict parallel safe as $$
          select least(268435455, greatest(0,
            floor((round(longitude * 1e7) / 1e7 / 360 + 0.5) * 268435456)))::integer
        $$
        """
    )
    op.execute(
        """
        create function map_row(latitude double precision) returns integer
        language sql immutable strict parallel safe as $$
          select least(268435455, greatest(0, floor(
            (0.5 - asinh(tan(radians(least(85.0511287798066, greatest(-85.0511287798066,
              round(latitude * 1e7) / 1e7))))) / (2 * pi())) * 268435456)))::integer
        $$
        """
    )


def _z_order() -> None:
    """The digits of two numbers in turns, by the masks of https://graphics.stanford.edu/~seander/bithacks.html."""
    op.execute(
        """
        create function map_cell(x integer, y integer) returns bigint
        language plpgsql immutable strict parallel safe as $$
        declare
          even bigint := x;
          odd bigint := y;
        begin
          even := (even | (even << 16)) & 281470681808895;
          even := (even | (even << 8)) & 71777214294589695;
          even := (even | (even << 4)) & 1085102592571150095;
          even := (even | (even << 2)) & 3689348814741910323;
          even := (even | (even << 1)) & 6148914691236517205;
          odd := (odd | (odd << 16)) & 281470681808895;
          odd := (odd | (odd << 8)) & 71777214294589695;
          odd := (odd | (odd << 4)) & 1085102592571150095;
          odd := (odd | (odd << 2)) & 3689348814741910323;
          odd := (odd | (odd << 1)) & 6148914691236517205;
          return even | (odd << 1);
        end
        $$
        """
    )
