"""The public page of a person: what anybody may read of their profile, as plain HTML."""

from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement
from starlette.responses import RedirectResponse, Response

from muster.kit.caller import Claim, Gate, anyone
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import NotFound
from muster.kit.markdown import as_html
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues, whole
from muster.kit.views.plans import Plan, compile_plan, run_plan
from muster.kit.views.query import QUERIES
from muster.profiles.views import ProfileView
from muster.profiles.visits import count_visit, is_program


class NoSuchPage(NotFound):
    """There is no such page, or its person does not show it."""

    code = "PROFILE_NOT_FOUND"


@page("GET /u/{username}")
async def show_profile(visit: Visit) -> Response:
    """What a person shows everybody. A former name leads to the one that they have now."""
    asked = visit.field("username")
    shown = await _read(visit, asked)
    if shown is None or shown["username"] is None:
        raise NoSuchPage
    if shown["username"] != asked:
        return RedirectResponse(f"/u/{shown['username']}", 302, {"cache-control": "no-store"})
    headers = visit.request.headers
    if visit.request.method == "GET" and not is_program(visit.origin.agent, headers.get("sec-purpose")):
        await count_visit(visit.services, UUID(shown["id"]), visit.origin)
    answer = visit.show(
        "profiles/templates/profile.html",
        words=visit.words("profiles.page_profile"),
        person=shown,
        about=as_html(shown["bioLong"] or ""),
    )
    if not shown["isIndexed"]:
        answer.headers["x-robots-tag"] = "noindex"
    return answer


async def _read(visit: Visit, username: str) -> dict[str, Any] | None:
    """The profile as a visitor reads it, whoever asks: the page is what everybody sees."""
    origin = replace(visit.origin, claim=Claim(visit.origin.claim.tenant_id))
    slots = [QUERIES["profile"].read({"username": username})]
    caller, (body,) = await run_plan(visit.services.database, _plan(visit.services.gate), origin, slots)
    visit.services.gate.admit(origin.claim, caller, anyone, None)
    found: dict[str, Any] | None = msgspec.json.decode(body)
    return found


@cache
def _plan(gate: Gate) -> Plan:
    slots = [SlotValues({"username": ""}, ())]

    def body(compiler: Compiler) -> ColumnElement[str]:
        return QUERIES["profile"].compile(compiler, Pick("", "", 0, whole(ProfileView)))

    return compile_plan(gate, slots, [body])
