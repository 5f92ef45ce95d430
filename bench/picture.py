"""The picture: one group of bars per scenario, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _BAR, _GROUP = 760, 190, 20, 34
_LONGEST = _WIDTH - _LABEL - 90


@dataclass(frozen=True)
class Bar:
    """One contestant's rate."""

    name: str
    rate: float
    is_ours: bool


def picture(groups: Mapping[str, Sequence[Bar]]) -> str:
    """The bars of every scenario; within one, lengths are to scale."""
    height = sum(_GROUP + _BAR * len(bars) for bars in groups.values()) + 20
    lines = "\n".join(_lines(groups))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n{lines}\n</svg>\n'
    )


def _lines(groups: Mapping[str, Sequence[Bar]]) -> Iterator[str]:
    top = 0
    for title, bars in groups.items():
        top += _GROUP
        yield f'<text x="10" y="{top - 8}" font-weight="600">{escape(title)}, requests a second</text>'
        longest = max(bar.rate for bar in bars)
        for bar in bars:
            width = _LONGEST * bar.rate / longest
            colour = "#0b7a75" if bar.is_ours else "#9aa5b1"
            yield f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end">{escape(bar.name)}</text>'
            yield f'<rect x="{_LABEL}" y="{top + 3}" width="{width:.0f}" height="{_BAR - 5}" fill="{colour}"/>'
            yield f'<text x="{_LABEL + width + 6:.0f}" y="{top + 14}">{bar.rate:,.0f}</text>'
            top += _BAR
