"""HTML: templates that escape what they show, and the policy that goes with every page."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

import muster
from muster.kit.brand import HOUSE, Brand
from muster.kit.endpoints.pages.assets import asset
from muster.kit.endpoints.pages.colours import colours
from muster.kit.text import origin_of
from muster.kit.words import FALLBACK

Policy = Mapping[str, str]
"""A Content-Security-Policy: what a page may load and do, by directive."""

STRICT: Policy = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
"""Our style and our images; no script, no frame, nothing of anybody else."""

_TEMPLATES = Environment(
    # Templates stand in the slices, so their names are paths below `muster/`.
    loader=FileSystemLoader(Path(muster.__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["asset"] = asset
_TEMPLATES.globals["colours"] = colours


def html(
    template: str,
    values: Mapping[str, object],
    *,
    brand: Brand = HOUSE,
    language: str = FALLBACK,
    status: int = 200,
    policy: Policy | None = None,
) -> Response:
    """A page.

    template: its path below `muster/`; it extends `kit/endpoints/pages/templates/base.html`. values: what it shows,
    escaped. brand: how it looks. language: of its words. policy: directives that this page needs beyond or instead of
    `STRICT`.
    """
    logo = {} if brand.logo is None else {"img-src": f"'self' {origin_of(brand.logo)}"}
    directives = {**STRICT, **logo, **(policy or {})}
    headers = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in directives.items()),
        "cache-control": "private, no-store",
        "content-language": language,
        "vary": "Accept, Accept-Language",
    }
    return Response(
        _TEMPLATES.get_template(template).render({**values, "brand": brand, "language": language}),
        status,
        headers,
        media_type="text/html",
    )
