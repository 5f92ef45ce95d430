"""Mail addresses, phone numbers and birth dates of others: no view shows one, whoever asks, and however deep."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
)

from muster.kit.db.tables import Table
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.text import camel
from muster.kit.views.fields import Leaf, fields_of
from muster.kit.views.view import VIEWS
from muster.profiles.tables import AUDIENCES
from muster.testing.below import ask
from muster.testing.client import Client, endpoint
from muster.testing.matrix import examples
from muster.testing.people import Standing
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

_PRIVATE = re.compile(r"e?mail|phone|birth", re.IGNORECASE)
_MEANT = {
    "User.email": "null for everybody but the person",
    "ExternalIdentity.email": "of the person's own ways to sign in, which nobody else sees",
    "ReminderChoice.byMail": "whether one wants letters, which only oneself reads, and no address",
    "EventInvitation.email": "as an organiser gave it to invite them; only who runs the event reads it",
    "Invitation.email": "as somebody here gave it to invite them; only who may invite reads it (test_permissions.py)",
}
"""The fields that may speak of such a thing, each with the reason why it tells nobody."""
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_DEPTH = 3


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def test_no_view_has_a_field_for_them_that_is_not_meant() -> None:
    found = {
        f"{view.type_name()}.{name}": each
        for view in VIEWS.values()
        for name, each in fields_of(view).items()
        if _PRIVATE.search(name)
    }
    assert found.keys() <= _MEANT.keys(), "say in _MEANT why it tells nobody, and let a test show it"
    email = found["User.email"]
    assert isinstance(email, Leaf)
    assert email.guard is not None


async def test_nobody_is_asked_for_a_phone_or_a_birth_date() -> None:
    columns = {str(column) for table in Table.metadata.sorted_tables for column in table.columns}
    assert [each for each in columns if re.search("phone|birth", each)] == []


@pytest.mark.parametrize("standing", Standing)
async def test_no_answer_holds_a_mail_address_of_somebody_else(town: Town, standing: Standing) -> None:
    told = {"isPublic": True, "privacy": {camel(name): "EVERYONE" for name in AUDIENCES}}
    owner = town.people[Standing.OWNER]
    (await owner.client.call("updateMyProfile", input=told)).ok()
    schema, client = build_schema(), town.client(standing)
    me = (await client.call("me")).data if standing != Standing.ANONYMOUS else None
    linked = "select email from external_identities where user_id = $1"
    own = {me["email"], *(row[0] for row in await ask(town.service.urls, linked, me["id"]))} if me else set()
    if standing in (Standing.OWNER, Standing.MODERATOR):
        invited = "select email from event_invitations where email is not null"
        own |= {row[0] for row in await ask(town.service.urls, invited)}
    seen: set[str] = set()
    for name, found in sorted((schema.query_type or GraphQLObjectType("Query", {})).fields.items()):
        answer = await _asked(schema, client, name, found, town)
        assert "BAD_USER_INPUT" not in answer, answer
        assert set(_MAIL.findall(answer)) <= own, f"{name}: {answer}"
        seen |= set(re.findall(r'"__typename": "(\w+)"', answer))
    if standing == Standing.MEMBER:
        assert {"User", "Profile", "ProfilePrivacy", "Event", "EventMember", "Message", "Tie", "Tenant"} <= seen


async def _asked(schema: GraphQLSchema, client: Client, name: str, found: GraphQLField, town: Town) -> str:
    """The whole answer to a query, with every field down to some depth. Arguments that name somebody name the owner."""
    owner = town.people[Standing.OWNER].user_id
    ids: dict[str, Any] = {
        "eventId": town.event_id,
        "userId": owner,
        "messageId": town.message_id,
        "username": "main-owner",
    }
    ids["id"] = town.tenant_id if name == "tenant" else town.message_id if "eventId" in found.args else town.event_id
    given = examples(endpoint(name)) | {key: ids[key] for key in found.args if key in ids}
    variables = ", ".join(f"${key}: {found.args[key].type}" for key in given)
    passed = ", ".join([*(f"{key}: ${key}" for key in given), *(["first: 5"] if "first" in found.args else [])])
    head = f"query({variables})" if variables else "query"
    call = f"{name}({passed})" if passed else name
    answer = await client.document(f"{head} {{ {call} {_everything(get_named_type(found.type), _DEPTH)} }}", **given)
    return json.dumps(answer)


def _everything(kind: object, depth: int) -> str:
    """Every field of a type, and of what it relates to."""
    if isinstance(kind, GraphQLUnionType):
        # Fields of one name differ between the types, so each type has its own.
        return "{ " + " ".join(f"... on {each.name} {{ {each.name}_: __typename }}" for each in kind.types) + " }"
    return "{ __typename " + " ".join(_fields(kind, depth)) + " }" if isinstance(kind, GraphQLObjectType) else ""


def _fields(kind: GraphQLObjectType, depth: int) -> Iterator[str]:
    for name, found in kind.fields.items():
        inner = get_named_type(found.type)
        nested = isinstance(inner, GraphQLObjectType | GraphQLUnionType)
        if any(is_required_argument(each) for each in found.args.values()) or (nested and depth == 0):
            continue
        page = "(first: 2)" if "first" in found.args else ""
        # A page is no relation of its own, only a way to one.
        yield f"{name}{page} {_everything(inner, depth - ('id' in inner.fields) if isinstance(inner, GraphQLObjectType) else 0)}"
