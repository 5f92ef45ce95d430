"""What happens to those who leave. An account that is closed and opened again is a fact of identity."""

from typing import ClassVar

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
