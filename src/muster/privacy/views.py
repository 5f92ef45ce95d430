"""What can be read of privacy: one's own export."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from muster.kit.caller import signed_in
from muster.kit.views.query import query
from muster.kit.views.view import View, Viewer
from muster.privacy.tables import Export, ExportStatus


def is_own(export: type[Export], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own."""
    return export.user_id == viewer.user_id


class ExportView(View, of=Export):
    """An archive of what the service knows of its person.

    asked_at: when it was asked for; the next can be asked for 24 hours later. progress: in percent.
    ready_at: since when it can be fetched; null until then. expires_at: until when; null until it is ready.
    """

    visible = is_own

    id: UUID
    status: ExportStatus
    asked_at: datetime
    progress: int
    ready_at: datetime | None
    expires_at: datetime | None


@query("GET /me/export", "myExport", allow=signed_in, where=is_own)
def my_export() -> ExportView | None:
    """The caller's newest export."""
