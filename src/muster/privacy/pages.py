"""The page that the mail about an export leads to. Opening it hands out nothing; pressing its button gives a link."""

from starlette.responses import Response

from muster.kit.endpoints.pages.page import Visit, page


@page("GET /export")
async def show_export(visit: Visit) -> Response:
    """What the button does."""
    return visit.show("privacy/templates/export.html", words=visit.words(_WORDS), token=visit.field("token"), url=None)


@page("POST /export")
async def fetch_export(visit: Visit) -> Response:
    """A link that works for some minutes."""
    link = await visit.run("openExport", token=visit.field("token"))
    return visit.show("privacy/templates/export.html", words=visit.words(_WORDS), token=None, url=link.url)


_WORDS = "privacy.page_export"
