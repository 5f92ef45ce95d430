"""Serving pages: routes, what was given, and a page for what went wrong."""

from collections import defaultdict
from contextlib import suppress
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

from muster.kit.caller import Origin, StepUpRequired
from muster.kit.commands.context import Services
from muster.kit.endpoints.accept import preferred_language
from muster.kit.endpoints.address import Address, Serve
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.http import query_string, read_form
from muster.kit.endpoints.pages.assets import serve_asset
from muster.kit.endpoints.pages.colours import serve_colours
from muster.kit.endpoints.pages.html import html
from muster.kit.endpoints.pages.page import PAGES, STEP_UP, Page, Visit
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.errors import AppError, Unauthenticated
from muster.kit.words import FALLBACK, LANGUAGES, section, words_of


def page_routes(services: Services, edge: Edge) -> list[HttpRoute]:
    """The routes of every declared page and of what pages load."""
    pages = [each for each in PAGES.values() if not (each.development and services.settings.is_production)]
    addresses: dict[str, dict[str, Serve]] = defaultdict(dict)
    addresses["/assets/{digest}/{name}"]["GET"] = serve_asset
    addresses["/assets/colours/{primary}/{accent}"]["GET"] = serve_colours
    for each in pages:
        addresses[each.route.path][each.route.method] = _endpoint(each, services, edge)
    return [HttpRoute(path, Address(methods)) for path, methods in addresses.items()]


def problem_page(error: AppError, request: Request) -> Response:
    """What went wrong, for people: in general in the language of their browser, and below it what the error says, which
    is English.
    """
    language = preferred_language(request.headers.get("accept-language"), tuple(LANGUAGES))
    words = section(f"kit.{_told_as(error.status)}", language)
    number = section("kit.problem", language).text("number", {"request_id": request.state.request_id})
    values = {"words": words, "detail": error.detail, "number": number}
    return html("kit/endpoints/pages/templates/problem.html", values, language=language, status=error.status)


def _told_as(status: int) -> str:
    """The section of a status; rare ones are told as 400 and 500 are."""
    name = f"status_{status}"
    return name if name in words_of("kit")[FALLBACK] else f"status_{status // 100}00"


async def _origin(page: Page, edge: Edge, request: Request, csrf: str) -> Origin:
    """Who visits; a session that has ended is nobody's. Raises CsrfTokenInvalid."""
    request_id: str = request.state.request_id
    if page.personal:
        with suppress(Unauthenticated):
            return await edge.origin(request, request_id=request_id, csrf=csrf)
    return await edge.origin(request, request_id=request_id, by_cookie=False)


def _to_step_up(request: Request) -> Response:
    """Lead to where a person shows once more who they are, and from there back to the page that they came from."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Response(
        status_code=303, headers={"location": f"{STEP_UP}?{urlencode({'returnTo': here})}", "cache-control": "no-store"}
    )


def _endpoint(page: Page, services: Services, edge: Edge) -> Serve:
    async def endpoint(request: Request) -> Response:
        try:
            given = await read_form(request) if page.route.sends_body else query_string(request)
            origin = await _origin(page, edge, request, given.get("csrf", ""))
            await services.limiter.draw((), origin)
            tenant_id = origin.claim.tenant_id
            async with services.database.transaction(tenant_id) as tx:
                brand = await services.brand_of(tx, tenant_id, to_anybody=True)
            visit = Visit(services, origin, request, {**given, **request.path_params}, brand, edge.cookies)
            return await page.function(visit)
        except StepUpRequired as refusal:
            return _to_step_up(request) if page.personal else problem_page(refusal, request)
        except Exception as error:  # noqa: BLE001 - every failure becomes a page that tells it
            return problem_page(as_rest_writes_it(client_error(error)), request)

    return endpoint
