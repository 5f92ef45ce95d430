"""Table of devices that want to be signed in. It is global, as sessions are."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, one_of, personal, plain, state


class DeviceState(StrEnum):
    """How a device's wish to be signed in stands. USED: it has its session."""

    WAITING = "WAITING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    USED = "USED"


class DeviceRequest(GlobalTable):
    """A device without a browser that wants to be signed in, by a code that its person types elsewhere.

    code_seal: of that code; neither it nor what the device holds is stored. name: what the device calls itself.
    polled_at, pause: when it last asked, and the seconds it has to wait before it asks again.
    user_id: who decided; null while nobody has.
    """

    __tablename__ = "device_requests"
    __table_args__ = (
        one_of("state", DeviceState),
        Index("device_requests_person_idx", "user_id", postgresql_where="user_id is not null"),
    )
    reason: ClassVar[str] = "a person signs in once for all their communities"
    person: ClassVar[str | None] = "user_id"

    code_seal: Mapped[str] = plain(unique=True, withheld=True)
    name: Mapped[str] = personal()
    address: Mapped[str | None] = personal()
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain(index=True)
    polled_at: Mapped[datetime | None] = plain()
    pause: Mapped[int] = plain()
    user_id: Mapped[UUID | None] = plain(ForeignKey("users.id"))
    state: Mapped[DeviceState] = state(DeviceState)
