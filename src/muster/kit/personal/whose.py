"""Whose a row is, as SQL: what erasing and exporting a person ask of each table."""

from muster.kit.db.statements import quoted
from muster.kit.db.tables import Table


def leads_to_person(table: type[Table]) -> bool:
    """Whether rows of a table can be a person's."""
    return table.person is not None or table.part_of is not None


def whole_of(table: type[Table]) -> type[Table] | None:
    """The table of what rows are parts of; None where they stand for themselves."""
    found = (each.class_ for each in Table.registry.mappers if each.class_.__tablename__ == table.part_of)
    return next(found, None)


def of_person(table: type[Table]) -> str:
    """The condition for the rows of `:person`, those of `:tenant` alone where tables belong to communities."""
    whole = whole_of(table)
    if whole is None:
        own = f"{quoted(str(table.person))} = :person"
    else:
        keys = Table.metadata.tables[table.__tablename__].foreign_key_constraints
        column = next(key.column_keys[-1] for key in keys if key.referred_table.name == table.part_of)
        own = f"{quoted(column)} in (select id from {quoted(whole.__tablename__)} where {of_person(whole)})"  # noqa: S608 - our own names
    return f"tenant_id = :tenant and {own}" if "tenant_id" in table.__table__.columns else own
