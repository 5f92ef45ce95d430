"""HTML: templates that escape what they show, and the policy that goes with every page."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

import muster
from muster.kit.endpoints.pages.assets import asset

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


def html(template: str, values: Mapping[str, object], *, status: int = 200, policy: Policy | None = None) -> Response:
    """A page.

    template: its path below `muster/`; it extends `kit/endpoints/pages/templates/base.html`. values: what it shows,
    escaped. policy: directives that this page needs beyond or instead of `STRICT`.
    """
    directives = {**STRICT, **(policy or {})}
    headers = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in directives.items()),
        "cache-control": "private, no-store",
        "vary": "Accept",
    }
    return Response(_TEMPLATES.get_template(template).render(values), status, headers, media_type="text/html")
