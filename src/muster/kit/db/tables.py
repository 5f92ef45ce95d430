"""How tables are declared: typed columns that say whether they are personal, and whom a row belongs to."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, NewType, TypeVar, cast
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, DateTime, Double, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from muster.kit.db.aliases import alias_of

PLATFORM_TENANT = UUID("00000000-0000-7000-8000-000000000000")
"""The tenant of what belongs to no community; the first migration of tenancy makes it."""

Json = NewType("Json", str)
"""A JSON document as text: the driver hands jsonb over as it is written."""


TENANT_SETTING = "muster.tenant"
"""The setting that names the tenant whose rows are visible."""
MAINTENANCE_SETTING = "muster.maintenance"
"""The setting that, when `on`, lets the owner see rows: for backup, backfill and erasure."""


Search = NewType("Search", str)
"""The words of a text, ready for full-text search."""


class Erasure(StrEnum):
    """What becomes of a person's rows in a table when the person is erased.

    DELETE: they go. BLANK: they stay for the sake of others, without what is personal in them. CONTENT: the same, unless
    the community keeps what people made, under nobody's name. KEEP: they stay as they are: all that they hold of the
    person is an id, which by then leads to nobody.
    """

    DELETE = "DELETE"
    BLANK = "BLANK"
    CONTENT = "CONTENT"
    KEEP = "KEEP"


class Table(DeclarativeBase):
    """Base of every table. A subclass is either a `TenantTable` or a `GlobalTable`.

    person: the column that leads to the person whose data a row holds; erasure and export follow it.
    mailed: the column with a mail address, in small letters, where rows are about who has it and perhaps no account: they
    go with the person whose address it is, too.
    part_of: the table of what rows are parts of, to which a foreign key of theirs leads. A part is whose the whole is,
    besides whom `person` says, and goes when the whole is erased, if only its words.
    erasure: what becomes of these rows when the person is erased.
    outlives_tenant: the rows stay when their community is erased.
    is_machinery: the rows are the service's own way of working, and nothing of them belongs to what a community takes along.
    """

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    type_annotation_map = {
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        str: Text(),
        int: BigInteger(),
        float: Double(),
        Json: JSONB(),
        Search: TSVECTOR(),
        bool: Boolean(),
        list[str]: ARRAY(Text()),
    }
    person: ClassVar[str | None] = None
    mailed: ClassVar[str | None] = None
    part_of: ClassVar[str | None] = None
    erasure: ClassVar[Erasure] = Erasure.DELETE
    outlives_tenant: ClassVar[bool] = False
    is_machinery: ClassVar[bool] = False


class TenantTable(Table):
    """A table whose rows belong to one tenant; PostgreSQL keeps tenants apart (`isolate`)."""

    __abstract__ = True

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2, info={"personal": False})
    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1, info={"personal": False})


class GlobalTable(Table):
    """A table outside all tenants.

    reason: why it may be; the start-up check demands it, the security documents print it.
    """

    __abstract__ = True

    reason: ClassVar[str]

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1, info={"personal": False})


TableT = TypeVar("TableT", bound=Table)


def once_more(table: type[TableT]) -> type[TableT]:
    """The table under an alias of its own, its columns as attributes: for a predicate within a read of the same table."""
    return cast("type[TableT]", alias_of(table.__table__).c)


def plain(*arguments: Any, erased: str | None = None, withheld: bool = False, **options: Any) -> Any:
    """A column that says nothing about a person. Takes what `mapped_column` takes.

    erased, withheld: as in `personal`.
    """
    return mapped_column(*arguments, info={"personal": False, "erased": erased, "withheld": withheld}, **options)


def personal(*arguments: Any, erased: str | None = None, withheld: bool = False, **options: Any) -> Any:
    """A column with personal data: exported with the person, erased with the person.

    erased: what stands there once the person is erased, where the row stays: SQL over the row, and `:now` for the
    moment. Without it a personal column becomes NULL, or an empty text where it may not be NULL.
    withheld: it is not exported: a secret of the service, or what others wrote in confidence.
    """
    return mapped_column(*arguments, info={"personal": True, "erased": erased, "withheld": withheld}, **options)


def state(values: type[StrEnum], *, erased: str | None = None, **options: Any) -> Any:
    """A text column that holds one of an enumeration; `one_of` in the table's arguments keeps it so.

    erased: as in `personal`.
    """
    return mapped_column(Text(), info={"personal": False, "values": values, "erased": erased}, **options)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The constraint that keeps a text column within an enumeration.

    States are text with a check, never a PostgreSQL enum: the operators of enums are not leakproof, so under row
    security they may not use an index.
    """
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)
