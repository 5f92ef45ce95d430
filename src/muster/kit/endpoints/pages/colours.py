"""The colours of a community as a stylesheet of their own, since a page may hold no style that its policy would allow."""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.brand import Brand, text_on
from muster.kit.endpoints.pages.assets import FOREVER

_COLOUR = re.compile(r"[0-9a-f]{6}")


def colours(brand: Brand) -> str:
    """The address of a look's stylesheet. It holds all there is to know, so nobody is asked whose colours they are."""
    return f"/assets/colours/{brand.primary[1:]}/{brand.accent[1:]}"


async def serve_colours(request: Request) -> Response:
    """Send the stylesheet of two colours; anything else is not found."""
    primary, accent = request.path_params["primary"], request.path_params["accent"]
    if not (_COLOUR.fullmatch(primary) and _COLOUR.fullmatch(accent)):
        raise HTTPException(404)
    style = f":root {{ --brand: #{primary}; --on-brand: {text_on(f'#{primary}')}; --brand-edge: #{accent}; }}\n"
    return Response(style, headers={"cache-control": FOREVER}, media_type="text/css")
