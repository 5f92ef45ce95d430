"""Places: how many sockets one process keeps open, in all, of one tenant and of one person.

Nothing is awaited between counting and taking, so no two sockets take the last place.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from muster.kit.caller import Claim
from muster.kit.errors import TooMany, Unavailable
from muster.settings import Sockets


class Places:
    """The places of one process."""

    def __init__(self, limits: Sockets) -> None:
        self._limits = limits
        self._taken = 0
        self._of_tenants: Counter[UUID] = Counter()
        self._of_persons: Counter[UUID] = Counter()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place meanwhile, for whoever comes. Raises Unavailable when all are taken."""
        if self._taken >= self._limits.per_process:
            raise Unavailable("This server has no place for another socket; try again in a moment.")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    @contextmanager
    def of(self, claim: Claim) -> Iterator[None]:
        """Count a socket as its tenant's and its person's meanwhile. A visitor is counted with the tenant only.

        Raises TooMany when the person has as many as one may, Unavailable when the tenant has.
        """
        tenant_id, user_id = claim.tenant_id, claim.user_id
        if user_id is not None and self._of_persons[user_id] >= self._limits.per_person:
            raise TooMany(f"You have {self._limits.per_person} sockets open; close one of them first.")
        if self._of_tenants[tenant_id] >= self._limits.per_tenant:
            raise Unavailable("This community has no place for another socket; try again in a moment.")
        with _counted(self._of_tenants, tenant_id), _counted(self._of_persons, user_id):
            yield


@contextmanager
def _counted(counter: Counter[UUID], key: UUID | None) -> Iterator[None]:
    if key is None:
        yield
        return
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]
