"""The rows of the isolation matrix: every declared endpoint with valid arguments, and every place for an id in them."""

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import msgspec
from sqlalchemy import Table as SqlTable

from muster.kit.commands.command import COMMANDS, Command
from muster.kit.db.tables import Table
from muster.kit.ids import new_id
from muster.kit.realtime.subscription import SUBSCRIPTIONS, Subscription
from muster.kit.text import camel
from muster.kit.views.fields import table_of
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.view import View
from muster.testing.town import event_input

Endpoint = Command | Query | Subscription

_EXAMPLES: dict[str, Callable[[], object]] = {
    "acceptInvitation.token": lambda: "not a token",
    "acceptMailedEventInvitation.token": lambda: "not a token",
    "declineMailedEventInvitation.token": lambda: "not a token",
    "readEventInvitation.token": lambda: "not a token",
    "acceptMailedInvitation.token": lambda: "not a token",
    "addDomain.name": lambda: f"town-{new_id().hex[-12:]}.example",
    "removeDomain.name": lambda: "chess.example",
    "changeMemberRole.role": lambda: "spectator",
    "addPasskey.credential": lambda: "{}",
    "addPasskey.name": lambda: "Their phone",
    "addPasskey.token": lambda: "not a token",
    "askToRestore.email": lambda: "somebody.new@dev.invalid",
    "changeEmail.email": lambda: f"{new_id().hex}@example.org",
    "beginDeviceSignIn.name": lambda: "A command line",
    "beginLink.provider": lambda: "nobody",
    "beginProviderStepUp.provider": lambda: "nobody",
    "finishProviderStepUp.code": lambda: "not a code",
    "finishProviderStepUp.state": lambda: "not a state",
    "finishProviderStepUp.ticket": lambda: "not a ticket",
    "beginSignIn.provider": lambda: "nobody",
    "changePassword.newPassword": lambda: "a new long enough one",
    "changePassword.oldPassword": lambda: "not their password",
    "completeLogin.mfaToken": lambda: "not a token",
    "confirmEmailChange.token": lambda: "not a token",
    "confirmTotp.code": lambda: "123456",
    "announce.content": lambda: "We meet at the north gate.",
    "checkIn.ticket": lambda: "not a ticket",
    "checkInMyself.latitude": lambda: 52.2,
    "checkInMyself.longitude": lambda: 21.0,
    "creditSponsorship.input": lambda: {"kind": "RELOAD", "actions": 1, "sourceKey": f"grant-{new_id()}"},
    "createApiKey.input": lambda: {"name": "A program", "scopes": []},
    "createInvitationLink.input": lambda: {"role": "spectator"},
    "createEvent.input": event_input,
    "createEventInviteLink.input": lambda: {"label": "The poster", "maxUses": 20},
    "joinByInviteLink.code": lambda: "notacode00",
    "createRole.input": lambda: {"slug": f"role_{new_id().hex[-12:]}", "name": "A new role"},
    "createServiceAccount.input": lambda: {"name": "A new program", "role": "spectator"},
    "createServiceKey.input": lambda: {"name": "A program", "scopes": []},
    "renameServiceAccount.name": lambda: "Another program",
    "createTeam.input": lambda: {"name": "A new team"},
    "changeTeamRole.role": lambda: "VIEWER",
    "createTenant.input": lambda: {"slug": f"town-{new_id().hex[-12:]}", "name": "A new town"},
    "createTopic.input": lambda: {
        "kind": "TAG",
        "slug": f"word {new_id().hex[-12:]}",
        "names": [{"language": "en", "name": "A word"}],
    },
    "deleteRole.slug": lambda: "porter",
    "decideDevice.approve": lambda: True,
    "decideDevice.userCode": lambda: "not a code",
    "declineInvitation.token": lambda: "not a token",
    "devLogin.name": lambda: "Somebody new",
    "editEventMessage.content": lambda: "Hello again",
    "finishSignIn.code": lambda: "not a code",
    "finishSignIn.state": lambda: "not a state",
    "finishSignIn.ticket": lambda: "not a ticket",
    "explainAccess.permission": lambda: "event:moderate",
    "bringGuests.guests": list,
    "forgotPassword.email": lambda: "somebody.new@dev.invalid",
    "impersonate.input": lambda: {
        "userId": new_id(),
        "communityId": new_id(),
        "why": "They asked for help",
        "ticket": "SUP-1042",
    },
    "linkIdentity.code": lambda: "not a code",
    "linkIdentity.state": lambda: "not a state",
    "linkIdentity.ticket": lambda: "not a ticket",
    "inviteMember.input": lambda: {"email": f"{new_id().hex}@example.org"},
    "inviteMembers.rows": lambda: [{"email": f"{new_id().hex}@example.org"}],
    "login.email": lambda: "somebody.new@dev.invalid",
    "lookUpDevice.userCode": lambda: "not a code",
    "login.password": lambda: "not their password",
    "loginWithPasskey.passkey": lambda: {"token": "not a token", "credential": "{}"},
    "muteEvent.muted": lambda: True,
    "profile.username": lambda: "southern-owner",
    "pollDeviceSignIn.deviceCode": lambda: "not a code",
    "readInvitation.token": lambda: "not a token",
    "refreshSession.refreshToken": lambda: "not a token",
    "register.input": lambda: {
        "name": "Somebody newer",
        "email": f"{new_id().hex}@example.org",
        "password": "a long enough one",
    },
    "renamePasskey.name": lambda: "Their other phone",
    "openExport.token": lambda: "not a token",
    "renameApiKey.name": lambda: "Another program",
    "resendVerification.email": lambda: "somebody.new@dev.invalid",
    "resetPassword.password": lambda: "a new long enough one",
    "resetPassword.token": lambda: "not a token",
    "role.slug": lambda: "greeter",
    "restoreAccount.token": lambda: "not a token",
    "schedulePublication.publishAt": lambda: datetime.now(UTC) + timedelta(hours=1),
    "sendEventMessage.content": lambda: "Hello",
    "setUsername.username": lambda: f"name-{new_id().hex[-12:]}",
    "suspendTenant.reason": lambda: "They sell what they should not",
    "sendSignInLink.email": lambda: "somebody.new@dev.invalid",
    "repeatEvent.rule": lambda: "FREQ=DAILY;COUNT=2",
    "setReminders.leads": lambda: ["PT1H"],
    "signInByLink.token": lambda: "not a token",
    "stepUp.password": lambda: "not their password",
    "unlockAccount.token": lambda: "not a token",
    "updateEventJoinForm.input": lambda: {"questions": [{"kind": "TEXT", "label": "What do you play?"}]},
    "updateEventInviteLink.input": lambda: {"label": None},
    "validateInviteLink.code": lambda: "notacode00",
    "updateEvent.input": lambda: {"title": "Another evening of games"},
    "updateEventProgramme.input": lambda: {
        "agenda": [{"title": "Opening game", "hosts": [{"name": "Grandmaster Ada"}]}],
        "faqs": [{"question": "Are there boards?", "answer": "Twenty."}],
        "resources": [{"title": "The rules", "url": "https://games.example/rules"}],
    },
    "updateMemberRole.role": lambda: "MODERATOR",
    "updateBranding.input": lambda: {"primaryColour": "#2f6f62"},
    "updateTeam.input": lambda: {"name": "Another name"},
    "updateTopic.input": lambda: {"names": [{"language": "en", "name": "Another word"}]},
    "updateTenant.input": lambda: {"name": "A new name"},
    "updateSeries.input": lambda: {"title": "Another evening of the series"},
    "updateRole.input": lambda: {"name": "A warmer greeter"},
    "updateRole.slug": lambda: "greeter",
    "updateMe.input": lambda: {"locale": "pl", "timezone": "Europe/Warsaw"},
    "updateMyProfile.input": lambda: {"bioShort": "Plays more games", "skills": ["shuffling"]},
    "verifyEmail.token": lambda: "not a token",
}
"""A valid value for each required argument that is no id."""

REFUSED_AS_IT_IS = {
    "acceptEventInvitation",
    "declineEventInvitation",
    "inviteToEvent",
    "acceptMailedEventInvitation",
    "declineMailedEventInvitation",
    "readEventInvitation",
    "acceptInvitation",
    "acceptMailedInvitation",
    "acceptEventOwnership",
    "acceptOwnership",
    "addPasskey",
    "beginLink",
    "beginProviderStepUp",
    "finishProviderStepUp",
    "beginSignIn",
    "changePassword",
    "checkIn",
    "checkInMyself",
    "completeLogin",
    "confirmEmailChange",
    "confirmTotp",
    "decideDevice",
    "declineInvitation",
    "declineOwnership",
    "finishSignIn",
    "impersonate",
    "joinByInviteLink",
    "linkIdentity",
    "login",
    "loginWithPasskey",
    "lookUpDevice",
    "ownershipOffer",
    "pollDeviceSignIn",
    "readInvitation",
    "refreshSession",
    "rejectEventRequest",
    "removeTotp",
    "eventOwnershipOffer",
    "exportLink",
    "openExport",
    "resetPassword",
    "restoreAccount",
    "resumeTenant",
    "signInByLink",
    "stepUp",
    "suspendTenant",
    "unlockAccount",
    "validateInviteLink",
    "verifyEmail",
    "proveDomain",
}
"""Endpoints whose example is refused whoever calls: accounts here have no password and no app, tokens and codes are in nobody's
reach, nobody is the platform's staff or holds a domain, no event has begun, nobody asks to come to one, and the one
offer to own a community was taken back before it is asked about.
"""


@dataclass(frozen=True)
class Place:
    """Where an endpoint takes an id.

    path: as clients write it (`eventId`, `filter.ownerId`, `answers[].questionId`). column: the database's name of it.
    put: the arguments with an id in this place, from those without.
    """

    path: str
    column: str
    put: Callable[[dict[str, Any], UUID], dict[str, Any]] = field(repr=False)


def endpoints() -> dict[str, Endpoint]:
    """Everything that is declared, by name."""
    return {**COMMANDS, **QUERIES, **SUBSCRIPTIONS}


def examples(declared: Endpoint) -> dict[str, Any]:
    """Valid values for the required arguments that are no ids.

    Raises LookupError for one that the matrix has no example for: add it to `_EXAMPLES`.
    """
    found = {}
    for parameter in declared.arguments.parameters:
        if parameter.default is not msgspec.NODEFAULT or _plain(parameter.type) is UUID:
            continue
        name = f"{declared.name}.{parameter.key}"
        if name not in _EXAMPLES:
            raise LookupError(f"the isolation matrix has no example for {name}; add one to muster/testing/matrix.py")
        found[parameter.key] = _EXAMPLES[name]()
    return found


def places(declared: Endpoint) -> list[Place]:
    """Every place for an id: arguments, filters, and fields of inputs and of lists of inputs."""
    found = [place for each in declared.arguments.parameters for place in _places_in(declared, each.key, each.type)]
    if isinstance(declared, Query) and declared.paged:
        found += [_filter(name) for name, each in declared.view.filters.items() if each.type is UUID]
    return found


def required(declared: Endpoint, place: Place) -> bool:
    """Whether a call without an id in this place is not valid."""
    return any(each.key == place.path and each.default is msgspec.NODEFAULT for each in declared.arguments.parameters)


def tables_with(declared: Endpoint, place: Place) -> Iterator[tuple[SqlTable, str]]:
    """The tables and columns whose values an id in this place can name.

    Raises LookupError when there is none: the name of an argument is the name of a column, or `id`.
    """
    if place.column == "id":
        yield table_of(_subject(declared)), "id"
        return
    found = [table for table in Table.metadata.sorted_tables if place.column in table.columns]
    # Questions have no table yet; any id is a stranger's there.
    if not found and place.column != "question_id":
        raise LookupError(f"{declared.name}: no table has a column {place.column}, so the matrix finds no ids for it")
    yield from ((table, place.column) for table in found if "tenant_id" in table.columns)


_ALL = "$1::uuid is not null"


def is_everybodys(declared: Endpoint, place: Place) -> bool:
    """Whether an id in this place names what everybody sees, such as a city."""
    return {_ALL} == {of_tenant(table) for table, _ in tables_with(declared, place)}


def of_tenant(table: SqlTable) -> str:
    """The SQL condition for the rows of tenant $1; of a table outside all tenants, its own or its active members', or all
    where they are nobody's.
    """
    if "tenant_id" in table.columns:
        return "tenant_id = $1"
    if table.name == "tenants":
        return "id = $1"
    person = next(each.class_.person for each in Table.registry.mappers if each.local_table is table)
    if person is None:
        return _ALL
    return f"{person} in (select user_id from members where tenant_id = $1 and status = 'ACTIVE')"  # noqa: S608 - our own names


def _subject(declared: Endpoint) -> type[View]:
    subject = declared.returns if isinstance(declared, Command) else getattr(declared, "view", None)
    if isinstance(declared, Command) and not (isinstance(subject, type) and issubclass(subject, View)):
        # What it removes, or adds something to, is what stands at the address that ends with the id.
        address = declared.route.template.partition("{id}")[0] + "{id}"
        subject = next((each.view for each in QUERIES.values() if each.route.template == address), subject)
    assert isinstance(subject, type), f"{declared.name} takes `id`, but nothing says of what"
    assert issubclass(subject, View), f"{declared.name} takes `id`, but answers with no view that says of what"
    return subject


def _plain(kind: Any) -> Any:
    """A type without what annotates it and without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (types.UnionType, Union):
        return _plain(next(each for each in get_args(kind) if each is not type(None)))
    return kind


def _places_in(declared: Endpoint, key: str, kind: Any) -> Iterator[Place]:
    plain = _plain(kind)
    if plain is UUID:
        yield Place(key, _snake(key), lambda given, value: {**given, key: value})
    elif isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        for each in _id_fields(plain):
            yield Place(f"{key}.{each}", _snake(each), _inside(key, each))
    elif get_origin(plain) is list and _id_fields(get_args(plain)[0]):
        element = get_args(plain)[0]
        for each in _id_fields(element):
            yield Place(f"{key}[].{each}", _snake(each), _listed(key, each, _texts(element)))


def _id_fields(kind: Any) -> list[str]:
    kind = _plain(kind)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    return [each.encode_name for each in msgspec.structs.fields(kind) if _plain(each.type) is UUID]


def _texts(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {each.encode_name: "text" for each in msgspec.structs.fields(kind) if _plain(each.type) is str}


def _inside(key: str, name: str) -> Callable[[dict[str, Any], UUID], dict[str, Any]]:
    return lambda given, value: {**given, key: {**given.get(key, {}), name: value}}


def _listed(key: str, name: str, rest: dict[str, str]) -> Callable[[dict[str, Any], UUID], dict[str, Any]]:
    return lambda given, value: {**given, key: [{**rest, name: value}]}


def _filter(name: str) -> Place:
    return Place(f"filter.{name}", _snake(name), _inside("filter", name))


def _snake(key: str) -> str:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
    assert camel(snake) == key
    return snake
