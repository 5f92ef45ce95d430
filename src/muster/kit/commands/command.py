"""Commands: the verbs that change state, each declared once with its ways in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ParamSpec, TypeAlias, TypeVar, get_type_hints

from muster.kit.arguments import Arguments
from muster.kit.caller import READABLE, Allow, Caller, Claim, Gate, Permission, TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.declaration import Declaration, enter
from muster.kit.deprecation import Deprecation
from muster.kit.documentation import Documentation, read_documentation
from muster.kit.limits import AUTH, Limit
from muster.kit.route import Route
from muster.kit.views.results import Payload

Together: TypeAlias = Callable[[Transaction, Sequence[tuple[Ctx, dict[str, Any]]]], Awaitable[Any]]
"""Locks and reads for several calls at once: each with its context and its arguments."""

P = ParamSpec("P")
R = TypeVar("R")

_STEP_UP = "Asks for a proof of the last 10 minutes of who you are: see `stepUp`."
_NOT_ARGUMENTS = frozenset({"ctx", "prepared", "shared"})


@dataclass(frozen=True, kw_only=True)
class Command(Declaration):
    """A declared command.

    function: runs in one transaction. route: method and path, `POST /events/{event_id}/members`. returns: a view, a payload, or NoneType.
    prepare: slow or outside work that runs before the transaction; its result arrives as `prepared`.
    together: what calls that share a transaction need in common, locked and read once for all of them; its result
    arrives as `shared`. Such a command gets by with that, writes with `ctx.write`, and still runs without it.
    line: the argument whose row's lock many may want at once; see `kit/commands/lines.py`.
    ends_session: the session that calls it is over then, and a cookie that holds it of no use.
    in_person: it is not for who acts as somebody else; nor is what asks for a proof, ends a session or guesses a secret.
    step_up: who calls it has to have shown within the last 10 minutes who they are.
    outlives: it is for a tenant that is archived or about to be deleted, too. money: it is about money, so that its rows in
    the audit log are kept for seven years.
    answers: the statuses of a success over REST, where they are not the usual one: `(201,)` for what always creates,
    `(200, 201)` for what creates the first time only. is_kept: in a transaction, with its row in the audit log; what is
    not, such as a signal, runs as `function(services, origin, **arguments)` and has to ask for itself who may.
    """

    function: Callable[..., Awaitable[Any]]
    route: Route
    returns: Any
    prepare: Callable[..., Awaitable[Any]] | None
    together: Together | None
    line: str | None
    answers: tuple[int, ...]
    ends_session: bool = False
    in_person: bool = False
    step_up: bool = False
    is_kept: bool = True
    outlives: bool = False
    money: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.line is not None and all(each.name != self.line for each in self.arguments.parameters):
            raise TypeError(f"{self.name}: `line` names the argument {self.line!r}, which there is not")
        if self.step_up and self.allow in (Allow.WHOEVER, Allow.ANYONE):
            raise TypeError(f"{self.name}: `step_up` is for who is signed in; allow nobody else")

    @cached_property
    def alone(self) -> bool:
        """Whether it is never one of several in a transaction: a refusal of it keeps what was written, or it has none."""
        return not self.is_kept or any(each.commits for each in self.refusals)

    @cached_property
    def within(self) -> frozenset[TenantStatus]:
        """How the tenant may be for it. What only its members do, nobody does in an archived one."""
        if self.outlives:
            return READABLE | {TenantStatus.DELETING}
        return frozenset({TenantStatus.ACTIVE}) if self.allow is Allow.MEMBER else READABLE

    def admit(self, gate: Gate, claim: Claim, caller: Caller | None) -> Caller:
        """The caller, let in; or a refusal as of `Gate.admit`."""
        return gate.admit(
            claim,
            caller,
            self.allow,
            self.permission,
            within=self.within,
            in_person=self.in_person,
            step_up=self.step_up,
            acts=True,
        )

    @property
    def takes_key(self) -> bool:
        """Whether a repeat can be answered by what was kept of the first: a row, or values that are no secrets."""
        return not issubclass(self.returns, Payload) or self.returns.replayable


COMMANDS: dict[str, Command] = {}
"""Every declared command by its GraphQL name."""


def command(
    route: str,
    name: str,
    *,
    allow: Allow,
    limit: Limit,
    permission: Permission | None = None,
    feature: str | None = None,
    prepare: Callable[..., Awaitable[Any]] | None = None,
    together: Together | None = None,
    line: str | None = None,
    answers: tuple[int, ...] = (),
    ends_session: bool = False,
    in_person: bool = False,
    step_up: bool = False,
    outlives: bool = False,
    money: bool = False,
    deprecated: Deprecation | None = None,
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Declare a command, which others may still call, and its ways in: the arguments are those of `Command`, `name` is the
    GraphQL mutation. Raises TypeError for a declaration that is not whole.
    """

    def declare(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        declared = Command(
            name=name,
            route=Route.parse(route),
            function=function,
            arguments=Arguments(function, without=_NOT_ARGUMENTS),
            returns=(returns := get_type_hints(function).get("return")),
            documentation=_documented(function, prepare, step_up=step_up),
            prepare=prepare,
            together=together,
            line=line,
            ends_session=ends_session,
            in_person=in_person or step_up or ends_session or limit is AUTH,
            step_up=step_up,
            outlives=outlives,
            money=money,
            answers=answers or (_usual_status(returns),),
            allow=allow,
            permission=permission,
            limit=limit,
            feature=feature,
            deprecated=deprecated,
        )
        enter(COMMANDS, declared)
        return function

    return declare


def _documented(
    function: Callable[..., object], prepare: Callable[..., object] | None, *, step_up: bool
) -> Documentation:
    found = read_documentation(function, also=prepare)
    return found.also(_STEP_UP) if step_up else found


def _usual_status(returns: Any) -> int:
    if returns is type(None):
        return 204
    return returns.status if issubclass(returns, Payload) else 200
