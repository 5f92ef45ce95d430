"""Cursors of streams: the opaque place of an element, which a client hands back as `after`."""

from uuid import UUID

from muster.kit.views.paging import cursor_tag, read_cursor, write_cursor

# Positions are PostgreSQL's bigint.
_LARGEST_POSITION = 2**63 - 1


def stream_tag(name: str, tenant_id: UUID, topic_id: UUID) -> str:
    """What ties a cursor to one subscription about one topic of one tenant."""
    return cursor_tag(name, "POSITION", {"tenant": str(tenant_id), "topic": str(topic_id)})


def write_position(position: int, tag: str) -> str:
    """The cursor of the fact at `position`."""
    return write_cursor(tag, position)


def read_position(cursor: str | int, tag: str) -> int:
    """The position inside a cursor, or one that stands for itself. Raises BadInput for a cursor that is damaged or of
    another stream.
    """
    found = cursor if isinstance(cursor, int) else read_cursor(cursor, tag, (int,), "after")[0]
    return min(max(int(str(found)), 0), _LARGEST_POSITION)
