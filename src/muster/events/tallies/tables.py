"""What is counted of events beforehand, so that reads need not: how many stand where, and in how many titles a word is."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, plain

_EMPTY = "events = 0"


class TallyChange(TenantTable):
    """What the tallies have yet to take in: of an event that everybody finds, that it is so (`sign` 1) or is no more (-1).

    Written by a trigger of `events` and gone with the next fold, some seconds later; its title is as personal as that of
    the event, and leaves with it. title: whose words count. map_cell, map_x, map_y: where it stands on the map; null where
    it does not. ends_at: until when it stands there.
    """

    __tablename__ = "event_tally_changes"
    is_machinery: ClassVar[bool] = True

    sign: Mapped[int] = plain(SmallInteger())
    title: Mapped[str] = plain()
    ends_at: Mapped[datetime] = plain()
    map_cell: Mapped[int | None] = plain()
    map_x: Mapped[int | None] = plain(Integer())
    map_y: Mapped[int | None] = plain(Integer())


class Tally(TenantTable):
    """Up to when a community's tallies know which events are over. Its one row is the lock of who folds changes in."""

    __tablename__ = "event_tallies"
    is_machinery: ClassVar[bool] = True

    counted_until: Mapped[datetime] = plain()


class MapCount(TenantTable):
    """How many events that everybody finds, and that were not over yet, stand in a square of the map.

    level: the zoom at which the square is a tile. cell: its number in Z-order. sum_x, sum_y: of the columns and rows of
    the finest cells of its events, from which their middle is reckoned.
    """

    __tablename__ = "event_map_counts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "level", "cell"),
        Index("event_map_counts_empty_idx", "tenant_id", postgresql_where=_EMPTY),
    )
    is_machinery: ClassVar[bool] = True

    level: Mapped[int] = plain(SmallInteger())
    cell: Mapped[int] = plain()
    events: Mapped[int] = plain()
    sum_x: Mapped[int] = plain()
    sum_y: Mapped[int] = plain()


class TitleWord(TenantTable):
    """A word without its accents, and in how many titles it is that everybody finds: what mistyped words are spelled by."""

    __tablename__ = "event_title_words"
    __table_args__ = (
        UniqueConstraint("tenant_id", "word"),
        Index("event_title_words_empty_idx", "tenant_id", postgresql_where=_EMPTY),
        Index("event_title_words_similar_idx", "tenant_id", text("word gin_trgm_ops"), postgresql_using="gin"),
    )
    is_machinery: ClassVar[bool] = True

    word: Mapped[str] = plain()
    events: Mapped[int] = plain()
