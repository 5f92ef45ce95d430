"""Inviting by list: each row is answered for, good rows go, and nobody gets more letters than they may."""

from typing import Any

import pytest

from muster.events.tests.support import at_once
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import ask, change, value
from muster.testing.people import sign_in
from muster.testing.serving import Service
from muster.testing.work import drain

_MAILED = "select address from mails where kind = 'tenancy.invitation' order by address"


def _rows(*emails: str, **more: str) -> list[dict[str, str]]:
    return [{"email": each, **more} for each in emails]


async def _report(club: Club, rows: list[dict[str, str]], *, by: str = "owner") -> dict[str, Any]:
    found: dict[str, Any] = (await club.client(by).call("inviteMembers", rows=rows)).ok()
    return found


def _outcomes(report: dict[str, Any]) -> list[str]:
    return [each["code"] or each["outcome"] for each in report["rows"]]


async def test_good_rows_go_and_each_bad_one_says_why(service: Service) -> None:
    club = await found_club(service, "participant")
    team = (await club.client("owner").call("createTeam", input={"name": "First eleven"})).ok()
    for _ in range(2):
        (await club.client("owner").call("createTeam", input={"name": "Twins"})).ok()
    rows = [
        {"email": "ANN@example.org", "language": "pl"},
        {"email": "no address"},
        {"email": "bob@example.org", "role": "moderator", "team": "First eleven"},
        {"email": "cyd@example.org", "role": "king"},
        {"email": "dee@example.org", "role": "owner"},
        {"email": "eve@example.org", "team": "Second eleven"},
        {"email": "fay@example.org", "team": "Twins"},
        {"email": "gus@example.org", "language": "Polish"},
        {"email": "ann@example.org"},
        {"email": "hal@example.org", "team": team["id"]},
    ]
    report = await _report(club, rows)
    assert _outcomes(report) == [
        *("INVITED", "INVALID_EMAIL", "INVITED", "VALIDATION_ERROR", "VALIDATION_ERROR"),
        *("TEAM_NOT_FOUND", "TEAM_UNCLEAR", "INVALID_LANGUAGE", "DOUBLE", "INVITED"),
    ]
    assert [each["row"] for each in report["rows"]] == list(range(1, 11))
    assert (report["invited"], report["again"], report["refused"]) == (3, 0, 7)
    assert report["rows"][8]["reason"] == "row 1 invites this address already"
    kept = "select email, role, team_id, language from invitations order by email"
    assert [tuple(row) for row in await ask(service.urls, kept)] == [
        ("ann@example.org", "participant", None, "pl"),
        (
            "bob@example.org",
            "moderator",
            await value(service.urls, "select id from teams where name = 'First eleven'"),
            None,
        ),
        (
            "hal@example.org",
            "participant",
            await value(service.urls, "select id from teams where name = 'First eleven'"),
            None,
        ),
    ]
    await drain(service.urls)
    assert [row[0] for row in await ask(service.urls, _MAILED)] == [
        "ann@example.org",
        "bob@example.org",
        "hal@example.org",
    ]
    told = {each["to"]: each["subject"] for each in (await service.http.get("/dev/mail.json")).json()}
    assert told["ann@example.org"] != told["bob@example.org"]


async def test_a_list_sent_again_mails_nobody_and_what_is_new_in_it_is_mailed(service: Service) -> None:
    club = await found_club(service)
    rows = _rows("ann@example.org", "bob@example.org")
    in_polish = [{**each, "language": "pl"} for each in rows]
    assert _outcomes(await _report(club, in_polish)) == ["INVITED", "INVITED"]
    assert _outcomes(await _report(club, rows)) == ["AGAIN", "AGAIN"]
    await drain(service.urls)
    assert len(await ask(service.urls, _MAILED)) == 2
    for number, role in enumerate(("moderator", "spectator", "participant")):
        report = await _report(club, [*_rows("ann@example.org", role=role), *_rows("bob@example.org")])
        assert _outcomes(report) == ["AGAIN" if number < 2 else "TOO_MANY_LETTERS", "AGAIN"]
    await drain(service.urls)
    assert [row[0] for row in await ask(service.urls, _MAILED)] == ["ann@example.org"] * 3 + ["bob@example.org"]


async def test_taking_an_invitation_back_gives_nobody_more_letters(service: Service) -> None:
    club = await found_club(service)
    owner = club.client("owner")
    for _ in range(3):
        made = (await owner.call("inviteMember", input={"email": "ann@example.org"})).ok()
        (await owner.call("revokeInvitation", id=made["id"])).ok()
    assert (await owner.call("inviteMember", input={"email": "ann@example.org"})).code == "TOO_MANY_LETTERS"
    assert _outcomes(await _report(club, _rows("ann@example.org"))) == ["TOO_MANY_LETTERS"]


@pytest.mark.parametrize(("by", "told"), [("owner", "ALREADY_MEMBER"), ("moderator", "INVITED")])
async def test_who_is_a_member_is_told_to_who_may_remove_members_alone(service: Service, by: str, told: str) -> None:
    club = await found_club(service, "participant", "moderator")
    guest, blocker = await sign_in(service, "guest"), await sign_in(service, "blocker")
    (await blocker.client.call("blockUser", userId=str(club.id_of(by)))).ok()
    people = (club.people["participant"], guest, blocker)
    mails = [await value(service.urls, "select email from users where id = $1", each.user_id) for each in people]
    assert _outcomes(await _report(club, _rows(*mails), by=by)) == [told, "INVITED", "INVITED"]
    await drain(service.urls)
    # Neither a member nor who has blocked who invites is mailed, whatever is told.
    assert [row[0] for row in await ask(service.urls, _MAILED)] == [mails[1]]


async def test_a_row_gives_no_more_than_who_sends_it_holds_and_no_team_they_do_not_see(service: Service) -> None:
    club, other = await found_club(service, "moderator"), await found_club(service, slug="other-club")
    foreign = (await other.client("owner").call("createTeam", input={"name": "Theirs"})).ok()
    rows = [
        *_rows("ann@example.org", role="admin"),
        *_rows("bob@example.org", team="Theirs"),
        *_rows("cyd@example.org", team=foreign["id"]),
    ]
    report = await _report(club, rows, by="moderator")
    assert _outcomes(report) == ["GRANTS_TOO_MUCH", "TEAM_NOT_FOUND", "TEAM_NOT_FOUND"]
    assert await value(service.urls, "select count(*) from invitations") == 0


async def test_two_lists_at_once_neither_wait_for_each_other_nor_mail_twice(service: Service) -> None:
    club = await found_club(service, "admin")
    for name in ("Reds", "Blues"):
        (await club.client("owner").call("createTeam", input={"name": name})).ok()
    emails = [f"person{number:03}@example.org" for number in range(60)]
    one = [*_rows(*emails[:30], team="Reds"), *_rows(*emails[30:], team="Blues")]
    two = [*_rows(*reversed(emails[20:]), team="Blues"), *_rows(*reversed(emails[:20]), team="Reds")]
    answers = await at_once(
        *(club.client(by).call("inviteMembers", rows=rows) for by, rows in (("owner", one), ("admin", two)) * 3)
    )
    assert all(set(_outcomes(each.ok())) <= {"INVITED", "AGAIN", "TOO_MANY_LETTERS"} for each in answers)
    assert await value(service.urls, "select count(*) from invitations where status = 'PENDING'") == len(emails)
    assert sum(each.ok()["invited"] for each in answers) == len(emails)


async def test_the_share_of_an_hour_holds_over_lists_and_single_invitations(service: Service) -> None:
    club = await found_club(service, "admin")
    await change(
        service.urls,
        "insert into invitations (tenant_id, id, way, email, role, status, made_by, created_at, expires_at, uses, max_uses, "
        "letters, letters_since) select $1, gen_random_uuid(), 'MAIL', 'n' || n || '@example.org', 'participant', 'PENDING', "
        "$2, now(), now() + interval '7 days', 0, 1, 1, now() from generate_series(1, 996) n",
        club.tenant_id,
        club.id_of("owner"),
    )
    lists = [_rows(*(f"{name}{number}@example.org" for number in range(3))) for name in ("ann", "bob")]
    answers = await at_once(
        *(club.client(by).call("inviteMembers", rows=rows) for by, rows in zip(("owner", "admin"), lists, strict=True))
    )
    outcomes = sorted(outcome for each in answers for outcome in _outcomes(each.ok()))
    assert outcomes == ["INVITED"] * 4 + ["TOO_MANY_INVITATIONS"] * 2
    late = await club.client("owner").call("inviteMember", input={"email": "late@example.org"})
    assert (late.status, late.code) == (429, "TOO_MANY_INVITATIONS")
    assert 0 < late.problem["retryAfter"] <= 3600
    # What changes nothing is no letter.
    assert _outcomes(await _report(club, _rows("n1@example.org"))) == ["AGAIN"]
    await change(service.urls, "update invitations set letters_since = now() - interval '1 hour'")
    (await club.client("owner").call("inviteMember", input={"email": "late@example.org"})).ok()


@pytest.mark.parametrize(
    "rows", [[], [{"email": "a@example.org"}] * 501, [{"mail": "a@example.org"}], [{"email": "a" * 301}]]
)
async def test_what_is_no_list_is_refused_whole(service: Service, rows: list[dict[str, str]]) -> None:
    club = await found_club(service)
    answer = await club.client("owner").call("inviteMembers", rows=rows)
    assert (answer.status, answer.code) in ((422, "VALIDATION_ERROR"), (400, "BAD_USER_INPUT"))
    assert await value(service.urls, "select count(*) from invitations") == 0
