"""A sign-in like none before is told of by mail, and one like those before is not."""

import pytest

from muster.identity.rules import Device, is_known_device
from muster.identity.tests.people import ANN, PASSWORD, register
from muster.testing.below import ask, change
from muster.testing.serving import Service
from muster.testing.work import drain

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
NEWER = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
PHONE = "Muster/1.2 (iPhone; iOS 18.1)"
HOME, NEXT_DOOR, ABROAD = "192.0.2.17", "192.0.2.200", "198.51.100.4"
LONG, LONG_BESIDE, LONG_ABROAD = "2001:db8:1:2::1", "2001:db8:1:9::7", "2001:db8:2::1"


@pytest.mark.parametrize(
    ("device", "before", "known"),
    [
        (Device(FIREFOX, HOME), [], False),
        (Device(FIREFOX, HOME), [Device(FIREFOX, HOME)], True),
        (Device(NEWER, NEXT_DOOR), [Device(FIREFOX, HOME)], True),
        (Device(FIREFOX, ABROAD), [Device(FIREFOX, HOME)], False),
        (Device(PHONE, HOME), [Device(FIREFOX, HOME)], False),
        (Device(PHONE, HOME), [Device(FIREFOX, HOME), Device(PHONE, ABROAD)], False),
        (Device(PHONE, LONG), [Device(PHONE, LONG_BESIDE)], True),
        (Device(PHONE, LONG), [Device(PHONE, LONG_ABROAD)], False),
        (Device(None, None), [Device(None, None)], True),
        (Device(None, None), [Device(FIREFOX, HOME)], False),
        (Device(FIREFOX, "nowhere"), [Device(FIREFOX, None)], True),
    ],
)
def test_both_program_and_network_have_to_fit(device: Device, before: list[Device], known: bool) -> None:
    assert is_known_device(device, before) is known


async def _sign_in(service: Service, agent: str) -> None:
    known = {"email": ANN, "password": PASSWORD}
    answer = await service.http.post("/api/v1/auth/login", json=known, headers={"user-agent": agent})
    assert answer.status_code == 200


async def _told(service: Service) -> int:
    """How often their person was told: by mail, and as often in the product."""
    await drain(service.urls)
    mails = await ask(service.urls, "select 1 from mails where kind = 'identity.new_device'")
    assert len(await ask(service.urls, "select 1 from notifications where kind = 'NEW_DEVICE'")) == len(mails)
    return len(mails)


async def test_a_new_device_is_told_of_once(service: Service) -> None:
    await register(service)
    await _sign_in(service, FIREFOX)
    assert await _told(service) == 0
    await _sign_in(service, NEWER)
    assert await _told(service) == 0
    await _sign_in(service, PHONE)
    assert await _told(service) == 1
    await _sign_in(service, PHONE)
    assert await _told(service) == 1


async def test_who_is_no_member_where_they_sign_in_is_told_by_mail(service: Service) -> None:
    await register(service)
    await change(service.urls, "delete from members")
    await _sign_in(service, FIREFOX)
    await _sign_in(service, PHONE)
    await drain(service.urls)
    assert len(await ask(service.urls, "select 1 from mails where kind = 'identity.new_device'")) == 1
    assert await ask(service.urls, "select 1 from notifications") == []


async def test_who_comes_after_long_is_told_too(service: Service) -> None:
    """Sessions are forgotten some time after they end, and an account that nobody uses is the best to take over."""
    await register(service)
    await change(service.urls, "update users set created_at = now() - interval '8 days'")
    await _sign_in(service, FIREFOX)
    assert await _told(service) == 1
