"""Markdown of people, as HTML that does nothing: no HTML of theirs passes, no image is loaded, links lead out unsponsored."""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

# What a link of somebody else's may take along: nothing (HTML Living Standard, 4.6.7).
_REL = "nofollow ugc noopener noreferrer"
_SCHEMES = ("https://", "http://", "mailto:")


class _Renderer(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library asks it by this name
        return url.lower().startswith(_SCHEMES)


def _open_link(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", _REL)
    text: str = renderer.renderToken(tokens, index, options, env)
    return text


# A heading of theirs stands below those of the page, so all are one plain kind.
_MARKDOWN = _Renderer("commonmark", {"html": False}).disable(["image", "heading", "lheading"])
_MARKDOWN.add_render_rule("link_open", _open_link)


def as_html(text: str) -> str:
    """Markdown as HTML that is safe to show: the renderer escapes all that it did not write itself."""
    html: str = _MARKDOWN.render(text)
    return html
