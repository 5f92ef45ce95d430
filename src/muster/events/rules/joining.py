"""Who comes into an event: one decision for every way in, and what each standing says of each deed.

Two questions are asked of whoever wants in, by whatever way. What does their standing say (`MEMBERSHIPS`)? And if that
lets them in, what do the event's terms and its places say (`decide_join`)? Nobody asks anything else anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from muster.events.rules.life import SHOWN
from muster.events.rules.places import Places
from muster.events.tables import EventMemberStatus, EventStatus, JoinMode


class JoinLock(StrEnum):
    """Why nobody gets in. The first that applies is told, in this order.

    FULL shuts nobody out: who comes then waits.
    """

    DELETED = "DELETED"
    CANCELED = "CANCELED"
    ENDED = "ENDED"
    FULL = "FULL"
    MANUAL = "MANUAL"
    INVITE_ONLY = "INVITE_ONLY"
    NOT_OPEN_YET = "NOT_OPEN_YET"
    CUTOFF = "CUTOFF"
    NO_LATE_JOIN = "NO_LATE_JOIN"
    LATE_CUTOFF = "LATE_CUTOFF"


class MemberDeed(StrEnum):
    """What can be done with a person's membership. The first six are the ways in.

    JOIN: they ask for a place, with answers where the event asks questions. LINK: they come by a link. ACCEPT: they
    accept an invitation. APPROVE: an organiser lets in who asked. PROMOTE: who waits gets a place. ADMIT: somebody who
    runs the community, or a handing over, puts them in. UNINVITE: an organiser takes an invitation back.
    """

    JOIN = "JOIN"
    LINK = "LINK"
    ACCEPT = "ACCEPT"
    APPROVE = "APPROVE"
    PROMOTE = "PROMOTE"
    ADMIT = "ADMIT"
    INVITE = "INVITE"
    DECLINE = "DECLINE"
    UNINVITE = "UNINVITE"
    REJECT = "REJECT"
    LEAVE = "LEAVE"
    KICK = "KICK"
    BAN = "BAN"
    UNBAN = "UNBAN"
    CHANGE_ROLE = "CHANGE_ROLE"


class Step(StrEnum):
    """What a standing says of a deed that does not simply lead to another standing.

    ENTER: the event's terms and places decide. AGAIN: the same if the event lets the rejected ask again. STAY: it is so
    already. BEFORE: they are again what kept them out before they were invited, if anything did. The others refuse: NOBODY
    has no membership, and OUT has no place and no turn to lose.
    """

    ENTER = "enter"
    AGAIN = "again"
    STAY = "stay"
    BEFORE = "before"
    NOBODY = "nobody"
    OUT = "out"
    BANNED = "banned"
    KICKED = "kicked"
    REJECTED = "rejected"
    NOT_INVITED = "uninvited"
    NOT_ASKED = "unasked"
    NOT_WAITING = "unqueued"
    NOT_BANNED = "unbanned"


_MEMBERSHIPS = """
             none       PENDING    INVITED    JOINED    WAITLIST   LEFT       CANCELLED  REJECTED   KICKED    BANNED
JOIN         enter      enter      enter      stay      stay       enter      enter      again      kicked    banned
LINK         enter      enter      enter      stay      stay       enter      enter      again      kicked    banned
ACCEPT       uninvited  uninvited  enter      stay      stay       uninvited  uninvited  uninvited  kicked    banned
APPROVE      nobody     enter      unasked    stay      stay       unasked    unasked    unasked    unasked   unasked
PROMOTE      nobody     unqueued   unqueued   stay      enter      unqueued   unqueued   unqueued   unqueued  unqueued
ADMIT        enter      enter      enter      stay      enter      enter      enter      enter      enter     banned
INVITE       INVITED    INVITED    stay       stay      stay       INVITED    INVITED    INVITED    INVITED   banned
DECLINE      uninvited  uninvited  CANCELLED  uninvited  uninvited  uninvited  stay       uninvited  kicked    banned
UNINVITE     nobody     uninvited  before     uninvited  uninvited  stay       stay       stay       stay      stay
REJECT       nobody     REJECTED   unasked    unasked   unasked    unasked    unasked    stay       unasked   unasked
LEAVE        nobody     CANCELLED  CANCELLED  LEFT      LEFT       stay       stay       stay       stay      stay
KICK         nobody     out        out        KICKED    KICKED     stay       stay       stay       stay      stay
BAN          BANNED     BANNED     BANNED     BANNED    BANNED     BANNED     BANNED     BANNED     BANNED    stay
UNBAN        nobody     unbanned   unbanned   unbanned  unbanned   unbanned   unbanned   stay       unbanned  REJECTED
CHANGE_ROLE  nobody     out        out        JOINED    out        out        out        out        out       out
"""

Outcome = EventMemberStatus | Step
Standing = EventMemberStatus | None


def _read(text: str) -> Mapping[MemberDeed, Mapping[Standing, Outcome]]:
    head, *lines = (line.split() for line in text.strip().splitlines())
    standings = [None if name == "none" else EventMemberStatus(name) for name in head]

    def outcome(word: str) -> Outcome:
        return EventMemberStatus(word) if word.isupper() else Step(word)

    return {MemberDeed(deed): dict(zip(standings, map(outcome, row), strict=True)) for deed, *row in lines}


MEMBERSHIPS = _read(_MEMBERSHIPS)
"""The life of a membership: what each standing says of each deed. None is who has none.

Banned stays out by every way. Kicked comes back by an organiser's invitation, which makes them INVITED. An unbanned one
is REJECTED. The owner is untouched by all of it: that is asked before.
"""

ATTENDING = (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST)
"""What somebody is who has a place, or a turn in the queue."""
CONCERNED = (*ATTENDING, EventMemberStatus.PENDING, EventMemberStatus.INVITED)
"""What somebody is whom it concerns what becomes of the event: they attend, asked, or are invited."""

_OVER = frozenset({JoinLock.DELETED, JoinLock.CANCELED, JoinLock.ENDED})
_WINDOW = frozenset(
    {JoinLock.MANUAL, JoinLock.NOT_OPEN_YET, JoinLock.CUTOFF, JoinLock.NO_LATE_JOIN, JoinLock.LATE_CUTOFF}
)
SHUTS: Mapping[MemberDeed, frozenset[JoinLock]] = {
    MemberDeed.JOIN: _OVER | _WINDOW | {JoinLock.INVITE_ONLY},
    MemberDeed.LINK: _OVER | _WINDOW,
    MemberDeed.ACCEPT: _OVER | _WINDOW,
    MemberDeed.APPROVE: _OVER | _WINDOW,
    MemberDeed.PROMOTE: _OVER | _WINDOW,
    MemberDeed.ADMIT: _OVER,
}
"""Which locks shut which way in. A window is the event's, so it holds for organisers too: they change it first."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Under which terms an event lets people in.

    opens, cutoff: minutes before the start from which on, and until which, people get in; None is no such bound.
    late_cutoff: minutes after the start until which late ones do; None is until the end. allows_late: whether they do
    at all. is_closed: whether an organiser closed it by hand. may_ask_again: whether who was rejected may.
    """

    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    join_mode: JoinMode
    opens: int | None = None
    cutoff: int | None = None
    allows_late: bool = True
    late_cutoff: int | None = None
    is_closed: bool = False
    may_ask_again: bool = False


class Verdict(StrEnum):
    """What becomes of somebody who wants in: they sit, wait, or have asked, or stay what they are; or they are refused."""

    SEATED = "SEATED"
    WAITING = "WAITING"
    ASKED = "ASKED"
    UNCHANGED = "UNCHANGED"
    CLOSED = "CLOSED"
    TOO_LARGE = "TOO_LARGE"
    NOBODY = "NOBODY"
    BANNED = "BANNED"
    KICKED = "KICKED"
    REJECTED = "REJECTED"
    NOT_INVITED = "NOT_INVITED"
    NOT_ASKED = "NOT_ASKED"
    NOT_WAITING = "NOT_WAITING"


@dataclass(frozen=True)
class Decision:
    """What becomes of somebody who wants in, and the lock that shuts them out where it is one."""

    verdict: Verdict
    lock: JoinLock | None = None


def join_locks(terms: Terms, places: Places, now: datetime) -> list[JoinLock]:
    """Every lock that is on an event at a moment, in the order in which they are told."""
    late = now >= terms.starts_at
    locks = {
        JoinLock.DELETED: terms.status == EventStatus.DELETED,
        JoinLock.CANCELED: terms.status == EventStatus.CANCELLED,
        JoinLock.ENDED: terms.status == EventStatus.PUBLISHED and now >= terms.ends_at,
        JoinLock.FULL: places.free is not None and places.free <= 0,
        JoinLock.MANUAL: terms.is_closed,
        JoinLock.INVITE_ONLY: terms.join_mode == JoinMode.INVITE_ONLY,
        JoinLock.NOT_OPEN_YET: terms.status not in SHOWN
        or (terms.opens is not None and now < terms.starts_at - _minutes(terms.opens)),
        JoinLock.CUTOFF: terms.cutoff is not None and not late and now >= terms.starts_at - _minutes(terms.cutoff),
        JoinLock.NO_LATE_JOIN: late and not terms.allows_late,
        JoinLock.LATE_CUTOFF: terms.late_cutoff is not None
        and late
        and now >= terms.starts_at + _minutes(terms.late_cutoff),
    }
    return [lock for lock in JoinLock if locks[lock]]


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def shut_by(way: MemberDeed, terms: Terms, places: Places, now: datetime) -> JoinLock | None:
    """The lock that is told to who comes by this way and is shut out; None for who may come in, be it to wait."""
    shuts = SHUTS[way]
    told = [lock for lock in join_locks(terms, places, now) if lock == JoinLock.FULL or lock in shuts]
    return told[0] if shuts.intersection(told) else None


def opens(terms: Terms, places: Places, now: datetime) -> datetime | None:
    """When an event lets people in by the clock alone: now where it does so, else the next moment; None for never.

    A window opens some time before the start, or at the start, for who comes late to what was shut shortly before.
    """
    window = [] if terms.opens is None else [terms.starts_at - _minutes(terms.opens)]
    moments = [now, *(each for each in (*window, terms.starts_at) if each > now)]
    return next((each for each in moments if shut_by(MemberDeed.PROMOTE, terms, places, each) is None), None)


def decide_join(
    terms: Terms,
    places: Places,
    standing: Standing,
    now: datetime,
    *,
    way: MemberDeed = MemberDeed.JOIN,
    party: int = 1,
    is_blocked: bool = False,
    is_next: bool = False,
) -> Decision:
    """What becomes of a person who wants in by a way.

    standing: what they are to the event already. party: how many places they need, themselves included.
    is_blocked: the owner wants nothing to do with them; they find the event closed by hand, and no more.
    is_next: they asked before anybody came who waits and whom the event could ever seat.
    Nobody who comes overtakes somebody who waits; whom an organiser promotes or puts in does, and the history says so.
    """
    refused = _by_standing(terms, standing, way)
    if refused is not None:
        return Decision(refused)
    if standing == EventMemberStatus.INVITED and way == MemberDeed.JOIN:
        way = MemberDeed.ACCEPT
    if is_blocked and way in _OF_THEIR_OWN:
        terms = replace(terms, is_closed=True)
    lock = shut_by(way, terms, places, now)
    if lock is not None:
        return Decision(Verdict.CLOSED, lock)
    if not places.ever_seats(party):
        return Decision(Verdict.TOO_LARGE)
    if way == MemberDeed.JOIN and terms.join_mode == JoinMode.REQUEST:
        return Decision(Verdict.ASKED)
    goes_first = is_next or way in (MemberDeed.PROMOTE, MemberDeed.ADMIT)
    if places.has_room(party) if goes_first else places.seats(party):
        return Decision(Verdict.SEATED)
    return Decision(Verdict.UNCHANGED if standing == EventMemberStatus.WAITLIST else Verdict.WAITING)


_OF_THEIR_OWN = (MemberDeed.JOIN, MemberDeed.LINK, MemberDeed.ACCEPT)
"""The ways by which people come themselves."""


def _by_standing(terms: Terms, standing: Standing, way: MemberDeed) -> Verdict | None:
    """What their standing alone says; None where the event has to be asked."""
    said = MEMBERSHIPS[way][standing]
    has_asked = standing == EventMemberStatus.PENDING and way == MemberDeed.JOIN
    if said == Step.STAY or (has_asked and terms.join_mode != JoinMode.OPEN):
        return Verdict.UNCHANGED
    if said == Step.AGAIN:
        return None if terms.may_ask_again else Verdict.REJECTED
    return None if said == Step.ENTER else Verdict[said.name]
