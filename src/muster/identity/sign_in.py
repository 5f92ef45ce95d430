"""The pages where people sign in: with a password, by a mailed link, or with a provider."""

from urllib.parse import urlencode

from starlette.responses import Response

from muster.identity.commands.codes import WrongCode
from muster.identity.commands.sessions import MfaRequired
from muster.identity.external.tickets import LASTS, is_own_path, read_ticket
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import AppError, Invalid

_HOME = "/"


def return_to(visit: Visit) -> str:
    """The path that the person wants to see afterwards; what is none of ours is left out."""
    given = visit.fields.get("returnTo", _HOME)
    return given if is_own_path(given) else _HOME


def _show(visit: Visit, *, wrong: AppError | None = None) -> Response:
    return visit.show(
        "identity/templates/sign_in.html",
        status=200 if wrong is None else wrong.status,
        terms=visit.services.settings.addresses.terms,
        providers=visit.services.settings.vouchers.providers.values(),
        return_to=return_to(visit),
        words=visit.words("identity.page_sign_in"),
        wrong=None if wrong is None else wrong.detail,
    )


@page("GET /sign-in")
async def show_sign_in(visit: Visit) -> Response:
    """Where people sign in."""
    return _show(visit)


@page("POST /sign-in")
async def sign_in(visit: Visit) -> Response:
    """Sign in with a password."""
    visit.refuse_foreign_form()
    try:
        session = await visit.run("login", email=visit.field("email"), password=visit.field("password"))
    except MfaRequired as more:
        return _ask_code(visit, str(more.details["mfaToken"]), return_to(visit))
    except AppError as refusal:
        return _show(visit, wrong=refusal)
    return visit.sign_in(session, return_to(visit))


def _ask_code(visit: Visit, token: str, to: str, *, wrong: AppError | None = None) -> Response:
    """The page that asks for the second factor. A passkey cannot be asked for without a script."""
    return visit.show(
        "identity/templates/second_factor.html",
        status=200 if wrong is None else wrong.status,
        words=visit.words("identity.page_second_factor"),
        token=token,
        return_to=to,
        wrong=None if wrong is None else wrong.detail,
    )


@page("POST /sign-in/second-factor")
async def give_code(visit: Visit) -> Response:
    """Sign in with a code, after what came first."""
    visit.refuse_foreign_form()
    token = visit.field("mfaToken")
    try:
        session = await visit.run("completeLogin", mfaToken=token, code=visit.field("code"))
    except WrongCode as refusal:
        return _ask_code(visit, token, return_to(visit), wrong=refusal)
    return visit.sign_in(session, return_to(visit))


@page("POST /sign-in/mail")
async def mail_link(visit: Visit) -> Response:
    """Have a link mailed that signs in."""
    try:
        await visit.run("sendSignInLink", email=visit.field("email"))
    except Invalid as refusal:
        return _show(visit, wrong=refusal)
    return visit.show("identity/templates/done.html", words=visit.words("identity.page_sign_in"))


@page("GET /sign-in/link")
async def show_link(visit: Visit) -> Response:
    """Where the mailed link leads. Opening it signs nobody in: scanners of mail open links, people press buttons."""
    return visit.show(
        "identity/templates/step.html",
        words=visit.words("identity.page_sign_in_link"),
        fields=(),
        token=visit.field("token"),
        wrong=None,
    )


@page("POST /sign-in/link")
async def follow_link(visit: Visit) -> Response:
    """Sign in by the link."""
    visit.refuse_foreign_form()
    try:
        session = await visit.run("signInByLink", token=visit.field("token"))
    except MfaRequired as more:
        return _ask_code(visit, str(more.details["mfaToken"]), _HOME)
    return visit.sign_in(session, _HOME)


@page("GET /sign-in/{provider}")
async def leave(visit: Visit) -> Response:
    """Go to a provider; the ticket for the way back stays in this browser."""
    way = await visit.run("beginSignIn", provider=visit.field("provider"), returnTo=return_to(visit))
    answer = visit.lead(way.url)
    visit.cookies.keep(answer, way.ticket, seconds=int(LASTS.total_seconds()))
    return answer


@page("GET /sign-in/{provider}/callback")
async def come_back(visit: Visit) -> Response:
    """Where a provider sends people back to, with a code or with why there is none.

    The page that they left from says that who gets an account so accepts the terms.
    """
    ticket = visit.cookies.kept(visit.request)
    if ticket is None or "code" not in visit.fields:
        return visit.show("identity/templates/done.html", words=visit.words("identity.page_not_signed_in"))
    held = read_ticket(visit.services.settings, ticket, visit.origin.now)
    there = _HOME if held is None else held.return_to
    if held is not None and held.proves:
        # Whose proof it is says the session, which this page does not look at.
        back = {"code": visit.field("code"), "state": visit.fields.get("state", ""), "returnTo": there}
        return visit.lead(f"/step-up/callback?{urlencode(back)}")
    given = {"ticket": ticket, "code": visit.field("code"), "state": visit.field("state"), "acceptedTerms": "true"}
    try:
        answer = visit.sign_in(await visit.run("finishSignIn", **given), there)
    except MfaRequired as more:
        answer = _ask_code(visit, str(more.details["mfaToken"]), there)
    visit.cookies.keep(answer, "", seconds=0)
    return answer
