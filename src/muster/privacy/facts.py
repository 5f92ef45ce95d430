"""What happens to those who leave. An account that is closed and opened again is a fact of identity."""

from typing import ClassVar
from uuid import UUID

from muster.identity.facts import AccountFact


class AccountEndsSoon(AccountFact):
    """The time to come back to a closed account is nearly over."""

    kind: ClassVar[str] = "user.ends_soon"


class AccountEnded(AccountFact):
    """The time to come back is over: what the person held goes to others."""

    kind: ClassVar[str] = "user.ended"


class ErasureDue(AccountFact):
    """All that is left of a person who is gone is to be erased."""

    kind: ClassVar[str] = "user.erasure_due"


class AccountErased(AccountFact):
    """Nothing of the person is left but an id that leads to nobody."""

    kind: ClassVar[str] = "user.erased"


class ExportFact(AccountFact):
    """Base of what happens to an export of what a person has."""

    kind: ClassVar[str] = "export"
    about: ClassVar[str] = "export_id"
    export_id: UUID


class ExportAsked(ExportFact):
    """A person wants an archive of what is theirs."""

    kind: ClassVar[str] = "export.asked"


class ExportReady(ExportFact):
    """The archive can be fetched."""

    kind: ClassVar[str] = "export.ready"


class ExportExpired(ExportFact):
    """The archive was kept long enough."""

    kind: ClassVar[str] = "export.expired"
