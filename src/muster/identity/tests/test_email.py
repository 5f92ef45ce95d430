"""Another mail address: both mailboxes say yes, nobody learns whose address is whose, and the old one is told."""

import asyncio
from uuid import UUID

import pytest

from muster.identity.rules import Side
from muster.identity.seals import link_token
from muster.identity.tests.people import ANN, PASSWORD, mailed, register
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client, Way
from muster.testing.serving import Service
from muster.testing.work import drain

NEW, BOB = "ann@new.example", "bob@example.org"


async def _ann(service: Service, *, verified: bool = True) -> Client:
    await register(service, verified=verified)
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    return Client(service, session["accessToken"])


async def _mails(service: Service) -> list[tuple[str, str]]:
    """The kind and address of every mail about a change of address, when all work is done."""
    await drain(service.urls)
    found = await ask(service.urls, "select kind, address from mails where kind like 'identity.email%' order by 1, 2")
    return [(kind.removeprefix("identity.email_"), address) for kind, address in found]


async def _confirm(service: Service, side: Side, way: Way = Way.REST) -> Answer:
    """Follow the link that was mailed last to one side."""
    change_id = await value(service.urls, "select id from email_changes order by created_at desc limit 1")
    token = link_token(service.settings.security.jwt_secret, side, UUID(int=change_id.int))
    return await Client(service).call("confirmEmailChange", way=way, token=token)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("first", Side)
async def test_an_address_changes_when_both_mailboxes_have_confirmed(service: Service, way: Way, first: Side) -> None:
    ann = await _ann(service)
    assert (await ann.call("changeEmail", way=way, email="Ann@New.example")).ok() == {"email": NEW}
    assert await _mails(service) == [("approve", ANN), ("confirm", NEW)]
    (other,) = {*Side} - {first}
    assert (await _confirm(service, first, way)).ok()["state"] == "WAITING"
    assert (await _confirm(service, first, way)).ok()["state"] == "WAITING"
    assert (await ann.call("me")).ok()["email"] == ANN
    assert (await _confirm(service, other, way)).ok()["state"] == "DONE"
    me = (await ann.call("me")).ok()
    assert (me["email"], me["verifiedAt"] is not None) == (NEW, True)
    again = await _confirm(service, other, way)
    assert (again.status, again.code) == (410, "LINK_INVALID")
    assert ("changed", ANN) in await _mails(service)
    assert (await Client(service).call("login", email=ANN, password=PASSWORD)).code == "WRONG_CREDENTIALS"
    (await Client(service).call("login", email=NEW, password=PASSWORD)).ok()


async def test_whoever_asks_for_a_taken_address_learns_nothing_and_its_owner_is_told(service: Service) -> None:
    ann = await _ann(service)
    await register(service, BOB)
    free = await ann.call("changeEmail", email=NEW)
    taken = await ann.call("changeEmail", email=BOB)
    assert (free.status, {**taken.ok(), "email": NEW}) == (taken.status, free.ok())
    assert ("taken", BOB) in await _mails(service)
    assert (await _confirm(service, Side.OLD)).ok()["state"] == "WAITING"


async def test_an_address_that_somebody_took_meanwhile_stays_theirs(service: Service) -> None:
    ann = await _ann(service)
    (await ann.call("changeEmail", email=BOB)).ok()
    (await _confirm(service, Side.OLD)).ok()
    await register(service, BOB)
    late = await _confirm(service, Side.NEW)
    assert (late.status, late.code) == (409, "EMAIL_TAKEN")
    assert (await ann.call("me")).ok()["email"] == ANN


async def test_of_two_accounts_that_move_to_one_address_at_once_one_does(service: Service) -> None:
    tokens = []
    for email in (ANN, BOB):
        await register(service, email)
        session = (await Client(service).call("login", email=email, password=PASSWORD)).ok()
        (await Client(service, session["accessToken"]).call("changeEmail", email=NEW)).ok()
        (await _confirm(service, Side.OLD)).ok()
        change_id = await value(service.urls, "select id from email_changes order by created_at desc limit 1")
        tokens.append(link_token(service.settings.security.jwt_secret, Side.NEW, UUID(int=change_id.int)))
    both = (Client(service).call("confirmEmailChange", token=each) for each in tokens)
    assert sorted(str(each.code) for each in await asyncio.gather(*both)) == ["EMAIL_TAKEN", "None"]
    assert await value(service.urls, "select count(*) from users where email = $1", NEW) == 1


async def test_both_mailboxes_may_confirm_at_once(service: Service) -> None:
    ann = await _ann(service)
    (await ann.call("changeEmail", email=NEW)).ok()
    answers = await asyncio.gather(*(_confirm(service, side) for side in Side))
    assert sorted(each.ok()["state"] for each in answers) == ["DONE", "WAITING"]
    assert (await ann.call("me")).ok()["email"] == NEW


async def test_asking_again_gives_up_what_was_asked_before_three_times_an_hour(service: Service) -> None:
    ann = await _ann(service)
    (await ann.call("changeEmail", email=NEW)).ok()
    first = await value(service.urls, "select id from email_changes")
    asked = await asyncio.gather(*(ann.call("changeEmail", email=f"{number}-{NEW}") for number in range(4)))
    assert sorted(str(each.code) for each in asked) == ["None"] * 2 + ["TOO_MANY_CHANGES"] * 2
    for side in Side:
        token = link_token(service.settings.security.jwt_secret, side, UUID(int=first.int))
        assert (await Client(service).call("confirmEmailChange", token=token)).code == "LINK_INVALID"
    assert await value(service.urls, "select count(*) from email_changes where ended_at is null") == 1


async def test_links_that_went_to_the_old_mailbox_do_not_outlive_it(service: Service) -> None:
    ann = await _ann(service)
    (await Client(service).call("forgotPassword", email=ANN)).ok()
    (reset,) = await mailed(service, "identity.reset")
    (await ann.call("changeEmail", email=NEW)).ok()
    for side in Side:
        (await _confirm(service, side)).ok()
    late = await Client(service).call("resetPassword", token=reset, password="a brand new password")
    assert late.code == "LINK_INVALID"


async def test_a_mistyped_address_is_mended_without_its_mailbox(service: Service) -> None:
    ann = await _ann(service, verified=False)
    assert (await ann.call("changeEmail", email=ANN)).problem["errors"][0]["code"] == "EMAIL_SAME"
    (await ann.call("changeEmail", email=NEW)).ok()
    assert await _mails(service) == [("confirm", NEW)]
    assert (await _confirm(service, Side.NEW)).ok()["state"] == "DONE"
    assert (await ann.call("me")).ok()["email"] == NEW


async def test_a_found_laptop_changes_no_address_and_a_link_has_its_time(service: Service) -> None:
    ann = await _ann(service)
    await change(service.urls, "update sessions set proved_at = proved_at - interval '11 minutes'")
    assert (await ann.call("changeEmail", email=NEW)).code == "STEP_UP_REQUIRED"
    (await ann.call("stepUp", password=PASSWORD)).ok()
    (await ann.call("changeEmail", email=NEW)).ok()
    await change(service.urls, "update email_changes set expires_at = now()")
    assert (await _confirm(service, Side.OLD)).code == "LINK_INVALID"


async def test_the_mails_lead_to_a_page_whose_button_confirms(service: Service) -> None:
    ann = await _ann(service)
    (await ann.call("changeEmail", email=NEW)).ok()
    await drain(service.urls)
    shown = (await service.http.get("/dev/mail.json", params={"to": NEW})).json()
    link = shown[0]["links"][0].removeprefix(service.settings.addresses.app)
    page = await service.http.get(link)
    assert (page.status_code, "Confirm the change of address" in page.text) == (200, True)
    assert await value(service.urls, "select confirmed_at from email_changes") is None
    done = await service.http.post("/change-email", data={"token": link.partition("token=")[2]})
    assert (done.status_code, "Confirmed" in done.text) == (200, True)
    assert await value(service.urls, "select confirmed_at from email_changes") is not None
