"""The page where a person lets a device in, or turns it away."""

from urllib.parse import urlencode

from starlette.responses import Response

from muster.identity.devices.commands import DeviceNotFound
from muster.kit.endpoints.pages.page import Visit, page


@page("GET /device", personal=True)
async def show_device(visit: Visit) -> Response:
    """Where a code is typed, and then which device asks with it."""
    code = visit.fields.get("code", "")
    session_id = visit.origin.claim.session_id
    if session_id is None:
        there = f"/device?{urlencode({'code': code})}" if code else "/device"
        return visit.lead(f"/sign-in?{urlencode({'returnTo': there})}")
    if not code:
        return _ask_code(visit)
    try:
        device = await visit.run("lookUpDevice", userCode=code)
    except DeviceNotFound as refusal:
        return _ask_code(visit, wrong=refusal)
    return visit.show(
        "identity/templates/device.html",
        words=visit.words("identity.page_device"),
        device=device,
        code=code,
        csrf=visit.cookies.csrf_token(session_id),
    )


def _ask_code(visit: Visit, *, wrong: DeviceNotFound | None = None) -> Response:
    return visit.show(
        "identity/templates/device_code.html",
        status=200 if wrong is None else wrong.status,
        words=visit.words("identity.page_device_code"),
        wrong=None if wrong is None else wrong.detail,
    )


@page("POST /device", personal=True)
async def decide(visit: Visit) -> Response:
    """Let it in, or turn it away."""
    approve = visit.field("decision") == "approve"
    await visit.run("decideDevice", userCode=visit.field("code"), approve=str(approve).lower())
    words = visit.words("identity.page_device" if approve else "identity.page_device_denied")
    return visit.show("identity/templates/done.html", words=words)
