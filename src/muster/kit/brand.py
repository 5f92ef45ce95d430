"""How pages and mails look: a name, a logo and two colours, and text that can be read on them."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from muster.kit.db.database import Transaction

_DARK, _LIGHT = "#000000", "#ffffff"


@dataclass(frozen=True)
class Brand:
    """Whose page or mail it is. logo: an https address. primary, accent: `#rrggbb`. locale: what most of its people read."""

    name: str
    logo: str | None = None
    primary: str = "#2f6f62"
    accent: str = "#b8860b"
    locale: str | None = None

    @property
    def on_primary(self) -> str:
        """The colour of text on `primary`."""
        return text_on(self.primary)


HOUSE = Brand("Muster")
"""The look of what belongs to no community."""


class BrandOf(Protocol):
    """Finds the look of a tenant; the tenancy slice supplies it, main and worker wire it."""

    async def __call__(self, tx: Transaction, tenant_id: UUID, *, to_anybody: bool) -> Brand:
        """The look. to_anybody: only if everybody may know that there is such a tenant, and the house's otherwise."""


async def house_brand(tx: Transaction, tenant_id: UUID, *, to_anybody: bool) -> Brand:
    """The house's, for everybody: where nobody has wired another."""
    return HOUSE


def text_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour.

    One of the two always has a contrast of at least 4.58, and WCAG 2.2 (1.4.3, level AA) asks for 4.5.
    """
    return _DARK if contrast(colour, _DARK) >= contrast(colour, _LIGHT) else _LIGHT


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
