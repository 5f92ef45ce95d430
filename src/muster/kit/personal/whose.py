"""Whose a row is, as SQL: what erasing and exporting a person ask of each table."""

from muster.kit.db.statements import quoted
from muster.kit.db.tables import Erasure, Table


def leads_to_person(table: type[Table]) -> bool:
    """Whether rows of a table can be a person's."""
    return table.person is not None or table.part_of is not None


def whole_of(table: type[Table]) -> type[Table] | None:
    """The table of what rows are parts of; None where they stand for themselves."""
    found = (each.class_ for each in Table.registry.mappers if each.class_.__tablename__ == table.part_of)
    return next(found, None)


def made_as(table: type[Table]) -> Erasure:
    """What becomes of the parts of something when it is erased: what becomes of that, or of what it is a part of."""
    whole = whole_of(table)
    return table.erasure if whole is None else made_as(whole)


def of_person(table: type[Table], *, parts: bool = True) -> str:
    """The condition for the rows of `:person`, those of `:tenant` alone where tables belong to communities.

    parts: also those that are theirs because the whole is; False asks for the column `person` alone.
    """
    ways = [] if table.person is None else [f"{quoted(table.person)} = :person"]
    if parts and (whole := whole_of(table)) is not None:
        keys = Table.metadata.tables[table.__tablename__].foreign_key_constraints
        column = next(key.column_keys[-1] for key in keys if key.referred_table.name == table.part_of)
        ways.append(f"{quoted(column)} in (select id from {quoted(whole.__tablename__)} where {of_person(whole)})")  # noqa: S608 - our own names
    own = ways[0] if len(ways) == 1 else f"({' or '.join(ways)})"
    return f"tenant_id = :tenant and {own}" if "tenant_id" in table.__table__.columns else own
