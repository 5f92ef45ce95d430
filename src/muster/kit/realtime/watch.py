"""The watch: ends what stays open, sockets and streams, when whoever it belongs to may not be here any more.

The database says whose rights changed (triggers made by `announce_rights`), and only what is open of theirs is asked
about, in one statement. So a process in which nothing changes asks nothing, however much it has open. A slow round over
everything finds what ends without a change, such as a session that expires, and what was said while nobody listened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from muster.kit.caller import Allow, Claim, Permission
from muster.kit.db.failures import as_client_error
from muster.kit.errors import AppError
from muster.kit.waiting import set_within

log = structlog.get_logger()

_ROUND_SECONDS = 30.0
_RETRY_SECONDS = 0.2
_BATCH = 500


class Present(Protocol):
    """Something that is open: whose it is, what one needs for it, and how it ends."""

    claim: Claim

    @property
    def allow(self) -> Allow:
        """Who may have it."""

    @property
    def permission(self) -> Permission | None:
        """What their role must give."""

    def end(self, error: AppError) -> None:
        """End it, for this reason."""


Refusals = Callable[[Sequence[Present]], Awaitable[list[AppError | None]]]
"""For each of some that are present in one tenant, why they may not be here any more; None while they may."""


class _Change(msgspec.Struct, frozen=True):
    """Whose rights changed. t: in which tenant. u: which person's. None is all of them."""

    t: UUID | None
    u: UUID | None


_decode = msgspec.json.Decoder(_Change).decode


class Watch:
    """Watches over what is open in this process."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._present: dict[UUID | None, set[Present]] = {}
        self._doubted: set[Present] = set()
        self._news = asyncio.Event()

    @contextmanager
    def over(self, present: Present) -> Iterator[None]:
        """Watch over it meanwhile. Begin before its right is first asked, so that no change falls in between."""
        # Whose session ends takes along what they opened as somebody else.
        whose = {present.claim.user_id, *([] if present.claim.by is None else [present.claim.by])}
        for user_id in whose:
            self._present.setdefault(user_id, set()).add(present)
        try:
            yield
        finally:
            self._doubted.discard(present)
            for user_id in whose:
                self._present[user_id].discard(present)
                if not self._present[user_id]:
                    del self._present[user_id]

    def present(self, user_id: UUID | None) -> Iterable[Present]:
        """What is open of a person."""
        return self._present.get(user_id, ())

    def sessions(self) -> set[UUID]:
        """The sessions that have something open."""
        return {each.claim.session_id for each in self._everything() if each.claim.session_id is not None}

    def hear(self, payload: str) -> None:
        """Take in what the database says of a change."""
        try:
            change = _decode(payload)
        except msgspec.DecodeError:
            log.warning("watch.unreadable_notification", payload=payload[:200])
            return
        theirs = self._everything() if change.u is None else self._present.get(change.u, ())
        self._doubt(each for each in theirs if change.t in (None, each.claim.tenant_id))

    def doubt_all(self) -> None:
        """Ask about everything, soon: what changed meanwhile is not known."""
        self._doubt(self._everything())

    async def run(self) -> None:
        """End what may not be any more, until cancelled. While the database is away, doubts wait."""
        while True:
            if not await set_within(self._news, _ROUND_SECONDS):
                self.doubt_all()
            self._news.clear()
            try:
                await self._settle()
            except Exception as error:
                if as_client_error(error) is None:
                    log.exception("watch.failed")
                await asyncio.sleep(_RETRY_SECONDS)
                self._news.set()

    async def _settle(self) -> None:
        doubted, self._doubted = self._doubted, set()
        try:
            for group in _of_one_tenant(doubted):
                self._end_refused(group, await self._refusals(group))
                doubted.difference_update(group)
        finally:
            self._doubted |= doubted

    @staticmethod
    def _end_refused(presents: Sequence[Present], refusals: Sequence[AppError | None]) -> None:
        for present, refusal in zip(presents, refusals, strict=True):
            if refusal is not None:
                present.end(refusal)

    def _doubt(self, presents: Iterable[Present]) -> None:
        self._doubted.update(presents)
        if self._doubted:
            self._news.set()

    def _everything(self) -> Iterable[Present]:
        return (each for theirs in self._present.values() for each in theirs)


def _of_one_tenant(presents: Iterable[Present]) -> Iterator[list[Present]]:
    """Groups of one tenant each, none too large for one statement."""
    ordered = sorted(presents, key=lambda each: each.claim.tenant_id)
    for _, group in groupby(ordered, key=lambda each: each.claim.tenant_id):
        theirs = list(group)
        yield from (theirs[start : start + _BATCH] for start in range(0, len(theirs), _BATCH))
