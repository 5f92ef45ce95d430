"""The pages where people show once more who they are, without a script: by password, by code, or with a provider.

Whoever gets `STEP_UP_REQUIRED` for what they do in a browser goes to `/step-up?returnTo=...`, and comes back with the proof.
"""

from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from muster.identity.external.tickets import LASTS
from muster.identity.sign_in import return_to
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import AppError


@page("GET /step-up", personal=True)
async def show_step_up(visit: Visit) -> Response:
    """Where people show who they are. To sign in shows it, too."""
    session_id = visit.origin.claim.session_id
    return _to_sign_in(visit) if session_id is None else _ask(visit, session_id)


@page("POST /step-up", personal=True)
async def give_proof(visit: Visit) -> Response:
    """Show it by password or code."""
    session_id = visit.origin.claim.session_id
    if session_id is None:
        return _to_sign_in(visit)
    try:
        await visit.run("stepUp", **{name: visit.fields[name] for name in ("password", "code") if name in visit.fields})
    except AppError as refusal:
        return _ask(visit, session_id, wrong=refusal)
    return visit.lead(return_to(visit))


@page("GET /step-up/callback", personal=True)
async def come_back(visit: Visit) -> Response:
    """Where the way back from a provider ends for who went there to show who they are."""
    ticket = visit.cookies.kept(visit.request) or ""
    await visit.run("finishProviderStepUp", ticket=ticket, code=visit.field("code"), state=visit.field("state"))
    answer = visit.lead(return_to(visit))
    visit.cookies.keep(answer, "", seconds=0)
    return answer


@page("GET /step-up/{provider}", personal=True)
async def leave(visit: Visit) -> Response:
    """Go to a provider, to sign in there once more; the ticket for the way back stays in this browser."""
    if visit.origin.claim.session_id is None:
        return _to_sign_in(visit)
    way = await visit.run("beginProviderStepUp", provider=visit.field("provider"), returnTo=return_to(visit))
    answer = visit.lead(way.url)
    visit.cookies.keep(answer, way.ticket, seconds=int(LASTS.total_seconds()))
    return answer


def _to_sign_in(visit: Visit) -> Response:
    return visit.lead(f"/sign-in?{urlencode({'returnTo': return_to(visit)})}")


def _ask(visit: Visit, session_id: UUID, *, wrong: AppError | None = None) -> Response:
    # GitHub does not say when somebody signed in, so it proves nothing.
    able = [each for each in visit.services.settings.vouchers.providers.values() if not each.is_github]
    return visit.show(
        "identity/templates/step_up.html",
        status=200 if wrong is None else wrong.status,
        words=visit.words("identity.page_step_up"),
        providers=able,
        return_to=return_to(visit),
        csrf=visit.cookies.csrf_token(session_id),
        wrong=None if wrong is None else wrong.detail,
    )
